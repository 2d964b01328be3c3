net.dns.resolve("127.0.0.9", function(socket, address) print(socket, address) end)
--> nil	127.0.0.9
net.dns.resolve("localhost", function(_, address) print(address) end)
local socket = net.createConnection()
print(select(2, pcall(socket.dns, socket, "localhost")))
--> no callback specified
print(net.dns.getdnsserver(1), net.dns.setdnsserver("1.1.1.1", 1), net.dns.getdnsserver(1))
--> nil	nil	1.1.1.1
--> 127.0.0.1
