--! pin 0 gpio.input 3 1
--! pin 40000 gpio.input 3 0 # a comment
--! pin 80000 gpio.input 3 1
--! pin 120000 gpio.input 3 1
--! pin 40000 gpio.write 3 1
gpio.mode(4, gpio.OUTPUT)
gpio.write(4, gpio.HIGH)
print(gpio.read(4), gpio.read(3), gpio.read(5))
--> 1	1	0
gpio.mode(5, gpio.INPUT, gpio.PULLUP)
gpio.mode(6, gpio.OPENDRAIN, gpio.PULLUP)
gpio.write(6, gpio.HIGH)
print(gpio.read(5), gpio.read(6), (gpio.write(6, gpio.LOW)), gpio.read(6))
--> 1	1	nil	0
gpio.mode(3, gpio.INT)
local last = 0
gpio.trig(3, "both", function(level, when, count)
  print("both", level, when > last and when <= tmr.now(), count)
  last = when
  gpio.trig(3, "down")
  gpio.trig(3, "up", function(...) print("up", (...)) end)
end)
gpio.serout(4, gpio.HIGH, {30, 70}, 3)
print(gpio.read(4))
--> 0
gpio.serout(4, gpio.LOW, {500, 500, 500}, 1, function() print("serout", gpio.read(4)) end)
for _, call in ipairs {
  function() gpio.mode(13, gpio.INPUT) end,
  function() gpio.mode(0, gpio.INT) end,
  function() gpio.mode(1, 9) end,
  function() gpio.read(13) end,
  function() gpio.write(1, 2) end,
  function() gpio.trig(0, "up", print) end,
  function() gpio.trig(1, "never", print) end,
  function() gpio.trig(1, "up") end,
  function() gpio.serout(1, 1, {}) end,
  function() gpio.pulse.build {} end,
} do
  print(select(2, pcall(call)))
end
--> gpio.lua:28: bad argument #1 to 'mode' (Invalid pin)
--> gpio.lua:29: bad argument #1 to 'mode' (Invalid pin)
--> gpio.lua:30: bad argument #2 to 'mode' (wrong arg type)
--> gpio.lua:31: gpio 13 does not exist
--> gpio.lua:32: bad argument #2 to 'write' (wrong level type)
--> gpio.lua:33: bad argument #1 to 'trig' (Invalid interrupt pin)
--> gpio.lua:34: bad argument #2 to 'trig' (invalid option 'never')
--> gpio.lua:35: bad argument #3 to 'trig' (invalid callback type)
--> gpio.lua:36: bad argument #3 to 'serout' (Invalid delay_times)
--> gpio.lua:37: gpio.pulse.build is not simulated
--> serout	0
--> both	0	true	1
--> up	1
