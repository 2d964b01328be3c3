-- What fits into the send buffer, and one 'sent' for all of it.
local server = net.createServer()
server:listen(0, function(socket)
  socket:on("sent", function() print("sent") socket:close() server:close() end)
  print(select(2, pcall(socket.send, socket, "")))
  print(select(2, pcall(socket.send, socket, ("x"):rep(2921))))
  socket:send(("x"):rep(1460))
  socket:send("y")
  print(select(2, pcall(socket.send, socket, ("x"):rep(1460))))
  for _ = 3, 8 do socket:send("z") end
  print(select(2, pcall(socket.send, socket, "z")))
end)
local size, client = 0, net.createConnection()
client:on("receive", function(_, data) size = size + #data end)
client:on("disconnection", function(_, code) print(size, code) end)
client:connect(server:getaddr(), "127.0.0.1")
--> no data to send
--> out of memory
--> out of memory
--> out of memory
--> sent
--> 1467	0
