-- A server and a client in one device: the order of callbacks, and what a closed socket says.
local server = net.createServer(net.TCP, 30)
server:listen(0, function(socket)
  print("accepted", type(socket), socket:getpeer() ~= nil)
  socket:on("connection", function(same) print("server: connection", same == socket) end)
  socket:on("receive", function(_, data)
    print("server: receive", data)
    socket:send(data:upper(), function() print("server: sent") end)
  end)
  socket:on("disconnection", function(same, code)
    print("server: disconnection", same == socket, code, socket:getpeer())
    print(select(2, pcall(socket.close, socket)), select(2, pcall(socket.send, socket, "x")))
    server:close()
  end)
end)
print(select(2, pcall(server.listen, server, 0, print)))
--> already listening
local port, address = server:getaddr()
print(port > 0, address)
--> true	0.0.0.0
local client = net.createConnection(net.TCP)
print(client:getpeer())
--> nil	nil
print(select(2, pcall(client.send, client, "x")))
--> not connected
client:on("connection", function(socket, ...)
  print("client: connection", select("#", ...), select(2, socket:getaddr()))
  socket:send("hello")
end)
client:on("sent", function() print("client: sent") end)
client:on("receive", function(socket, data)
  print("client: receive", data)
  socket:close()
  print(select(2, pcall(socket.close, socket)))
end)
client:on("disconnection", function() print("never after one's own close") end)
client:connect(port, "127.0.0.1")
print(select(2, pcall(client.connect, client, port)))
--> already connected
--> accepted	userdata	true
--> server: connection	true
--> client: connection	0	127.0.0.1
--> client: sent
--> server: receive	hello
--> server: sent
--> client: receive	HELLO
--> not connected
--> server: disconnection	true	0	nil	nil
--> not connected	not connected
