--! strict_send
local server = net.createServer()
server:listen(0, function(socket)
  socket:send("one")
  print(select(2, pcall(socket.send, socket, "two")))
  socket:on("sent", function()
    socket:on("sent", nil)
    socket:send("two")
    socket:close()
    server:close()
  end)
end)
local client = net.createConnection()
local got = ""
client:on("receive", function(_, data) got = got .. data end)
client:on("disconnection", function() print(got) end)
client:connect(server:getaddr(), "127.0.0.1")
--> send before the 'sent' event of the previous send: NodeMCU allows one at a time
--> onetwo
