local server, socket = net.createServer(), net.createConnection()
for _, call in ipairs {
  function() server:listen(0) end,
  function() server:listen(0, "999.1.1.1", print) end,
  function() socket:on("nothing", print) end,
  function() socket:on("sent", 1) end,
  function() socket:connect(0, "127.0.0.1") end,
  function() socket.send(server, "x") end,
  function() socket:ttl() end,
  function() net.multicastJoin("", "224.0.0.1") end,
  function() net.ping("127.0.0.1", 1) end,
} do
  print(select(2, pcall(call)))
end
--> net_errors.lua:3: need callback
--> net_errors.lua:4: invalid IP address
--> net_errors.lua:5: invalid callback name
--> net_errors.lua:6: invalid callback function
--> net_errors.lua:7: specify port
--> net_errors.lua:8: calling 'send' on bad self (net.tcpsocket expected, got userdata)
--> net_errors.lua:9: socket is not open/bound yet
--> net_errors.lua:10: net.multicastJoin is not simulated
--> net_errors.lua:11: net.ping is not simulated
