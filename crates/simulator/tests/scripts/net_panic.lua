--! ends PANIC: unprotected error in call to Lua API (net_panic.lua:5: oops
-- The firmware calls the callbacks of net unprotected, whatever setonerror says.
node.setonerror(print)
local server = net.createServer()
server:listen(0, function() error("oops") end)
net.createConnection():connect(server:getaddr(), "127.0.0.1")
