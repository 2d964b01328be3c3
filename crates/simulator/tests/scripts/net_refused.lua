-- A connection that nobody takes: reconnection where there is one, else disconnection, with lwIP's number.
local server = net.createServer()
server:listen(0, print)
local port = server:getaddr()
server:close()
print(select(2, pcall(server.close, server)))
--> not connected
local first, second = net.createConnection(), net.createConnection()
first:on("disconnection", function(_, code)
  print("disconnection", code)
  second:on("reconnection", function(_, code) print("reconnection", code) end)
  second:on("disconnection", function() print("not this one") end)
  second:connect(port, "localhost")
end)
first:connect(port, "127.0.0.1")
--> disconnection	-9
--> reconnection	-9
