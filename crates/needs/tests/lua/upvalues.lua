-- needed: tmr gpio
local tmr, write = tmr, gpio.write
local timer
local function start()
  timer = tmr.create()
  timer:start()
end
local function stop()
  timer:stop()
  timer:end_() --> method-absent
  write(1, 0)
  write("x", 0) --> argument-kind
end
for i = 1, 3 do
  local each = tmr.create()
  local function go() each:start() each:go() end --> method-absent
  go()
end
