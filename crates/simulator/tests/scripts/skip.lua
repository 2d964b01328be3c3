--! can_skip
-- A wait is skipped once nothing else is to be done: here an hour, for the chip's clocks too.
rtctime.set(1000, 0)
tmr.create():alarm(3600000, tmr.ALARM_SINGLE, function()
  print("an hour later", tmr.time() >= 3600, rtctime.get() >= 4600)
end)
simulator.skip(3600000)
node.task.post(function() print("a task comes first") end)
--> a task comes first
--> an hour later	true	true
