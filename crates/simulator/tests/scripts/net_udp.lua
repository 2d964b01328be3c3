-- Datagrams between two sockets of one device.
local server, client = net.createUDPSocket(), net.createUDPSocket()
print(server:getaddr())
--> nil	nil
server:listen(0)
local port, address = server:getaddr()
print(port > 0, address, select(2, pcall(server.listen, server, 0)))
--> true	0.0.0.0	already listening
server:on("receive", function(s, data, from, ip)
  print("server", s == server, data, ip)
  s:send(from, ip, data:upper())
end)
local sent
client:on("sent", function(s) sent = s == client end)
client:on("receive", function(s, data, from, ip)
  print("client", data, from == port, ip)
  s:close()
  server:close()
  print(select(2, pcall(s.close, s)), s:getaddr())
end)
client:send(port, "127.0.0.1", "hello")
tmr.create():alarm(200, tmr.ALARM_SINGLE, function() print("sent", sent) end)
for _, call in ipairs {
  function() client:send(0, "127.0.0.1", "x") end,
  function() client:send(port, "localhost", "x") end,
  function() client:send(port, "127.0.0.1", "") end,
  function() client:send(port, "192.0.2.1", "x") end,
  function() client:send(port, "255.255.255.255", "x") end,
  function() client:on("connection", print) end,
  function() server.send(net.createConnection(), 1, "", "") end,
} do
  print(select(2, pcall(call)))
end
--> net_udp.lua:24: need port
--> net_udp.lua:25: invalid IP address
--> net_udp.lua:26: no data to send
--> net_udp.lua:27: 192.0.2.1 is not this PC, and network access is not allowed
--> net_udp.lua:28: 255.255.255.255 is not this PC, and network access is not allowed
--> net_udp.lua:29: invalid callback name
--> net_udp.lua:30: calling 'send' on bad self (net.udpsocket expected, got userdata)
--> server	true	hello	127.0.0.1
--> client	HELLO	true	127.0.0.1
--> not connected	nil	nil
--> sent	true
