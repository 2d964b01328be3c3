print(pwm.setup(1, 500, 512), pwm.getclock(1), pwm.getduty(1))
--> 500	500	512
pwm.start(1)
print(pwm.setduty(1, 1023), pwm.setclock(1, 100), pwm.getclock(1), pwm.getduty(1))
--> 1023	100	100	1023
pwm.stop(1)
pwm.close(1)
print(pwm.getduty(1), pcall(pwm.start, 1))
--> 0	false	Unable to start PWM output
for pin = 1, 6 do pwm.setup(pin, 100, 0) end
for _, call in ipairs {
  function() pwm.setup(7, 100, 0) end,
  function() pwm.setup(0, 100, 0) end,
  function() pwm.setup(13, 100, 0) end,
  function() pwm.setup(1, 0, 0) end,
  function() pwm.setduty(1, 1024) end,
} do
  print(select(2, pcall(call)))
end
--> pwm.lua:12: too many pwms.
--> pwm.lua:13: no pwm for D0
--> pwm.lua:14: pwm 13 does not exist
--> pwm.lua:15: wrong arg range
--> pwm.lua:16: wrong arg range
