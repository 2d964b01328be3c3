-- needed: tmr net mqtt file
local timer = tmr.create()
timer:start()
timer:begin() --> method-absent
local again = timer
again:stop()
again:halt() --> method-absent
net.createServer(net.TCP):listen(80, function(socket)
  socket:on("receive", function(same, data)
    same:send(data)
    same:write(data) --> method-absent
    socket:close()
  end)
  socket:receive() --> method-absent
end)
local function make() return tmr.create() end
make():start()
make():go() --> method-absent
local M = { timer = tmr.create() }
M.timer:start()
M.timer:strat() --> method-absent
function M:open() self.client = mqtt.Client("a", 120) end
function M:close() self.client:close() self.client:end_() end --> method-absent
M:open()
local f = file.open("a", "w")
if f then
  f:write("x")
  f:print("x") --> method-absent
end
local either = unknown_condition and tmr.create() or M
either:start()
either:go()
