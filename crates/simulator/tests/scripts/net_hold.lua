-- A held connection gets no more than the window; then the rest comes.
local server = net.createServer()
local size, held = 0, nil
server:listen(0, function(socket)
  socket:on("receive", function(_, data)
    size = size + #data
    if held == nil then
      held = true
      socket:hold()
      tmr.create():alarm(100, tmr.ALARM_SINGLE, function()
        print("held at", size)
        held = false
        socket:unhold()
      end)
    end
  end)
  socket:on("disconnection", function() print("all", size) server:close() end)
end)
local left, client = 20, net.createConnection()
local function more(socket)
  if left == 0 then return socket:close() end
  left = left - 1
  socket:send(("x"):rep(1000))
end
client:on("connection", more)
client:on("sent", more)
client:connect(server:getaddr(), "127.0.0.1")
--> held at	5840
--> all	20000
