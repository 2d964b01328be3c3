local timer = tmr.create()
print(timer:state(), timer:start(), timer:stop())
--> nil	false	false
local count = 0
timer:register(10, tmr.ALARM_AUTO, function(same)
  count = count + 1
  if count == 3 then
    print(same == timer, timer:state())
    print(timer:stop(), timer:stop(), timer:state())
    print(timer:start(), timer:start(), timer:start(true))
  elseif count == 4 then
    timer:unregister()
    print(timer:state())
  end
end)
print(timer:state())
--> false	1
timer:start()
local single = tmr.create()
single:alarm(5, tmr.ALARM_SINGLE, function(t) print("single", t:state()) end)
local semi = tmr.create()
semi:alarm(100, tmr.ALARM_SEMI, function(t)
  print("semi", t:state())
  if count < 100 then count = 100 t:interval(1) t:start() end
end)
print(select(2, pcall(timer.alarm, timer, 0, 1, print)))
print(select(2, pcall(timer.alarm, timer, 1, 3, print)))
print(select(2, pcall(timer.alarm, timer, 1, 1)))
--> bad argument #1 to 'alarm' (Range: 1-0x68D7A3)
--> bad argument #2 to 'alarm' (Invalid mode)
--> bad argument #3 to 'alarm' (Must be function)
local before = tmr.now()
tmr.delay(2000)
print(tmr.now() - before >= 2000, tmr.time())
--> true	0
--> single	nil
--> true	true	1
--> true	false	false	1
--> true	false	true
--> nil
--> semi	false	2
--> semi	false	2
