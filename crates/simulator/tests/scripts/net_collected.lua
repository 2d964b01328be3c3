-- An open socket stays without a variable that holds it; a collected one is gone.
local function connect(server)
  net.createConnection():connect(server:getaddr(), "127.0.0.1")
end
local accepted, ended = 0, 0
local server = net.createServer()
server:listen(0, function(socket)
  accepted = accepted + 1
  socket:on("disconnection", function() ended = ended + 1 end)
end)
connect(server)
tmr.create():alarm(50, tmr.ALARM_SINGLE, function()
  collectgarbage()
  collectgarbage()
  print(accepted, ended)
  server:close()
  node.restart()
end)
--> 1	0
--! ends restart
