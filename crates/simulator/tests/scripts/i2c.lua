--! pin 0 i2c.input 0 0x40 0aff
--! pin 0 i2c.input 0 0x40 17
local hex = encoder.toHex
print(i2c.setup(0, 1, 2, i2c.SLOW), i2c.setup(1, 1, 0, i2c.FASTPLUS))
--> 100000	1000000
i2c.start(0)
print(i2c.address(0, 0x40, i2c.TRANSMITTER), i2c.write(0, 1, "ab", {2, 3}), i2c.address(0, 0x41, i2c.RECEIVER))
--> true	5	false
print(hex(i2c.read(0, 1)))
--> ff
print(i2c.address(0, 0x40, i2c.RECEIVER), hex(i2c.read(0, 2)), hex(i2c.read(0, 2)), i2c.stop(0))
--> true	0aff	17ff
for _, call in ipairs {
  function() i2c.setup(10, 1, 2, i2c.SLOW) end,
  function() i2c.setup(0, 0, 2, i2c.SLOW) end,
  function() i2c.setup(0, 1, 13, i2c.SLOW) end,
  function() i2c.start(5) end,
  function() i2c.address(0, 128, i2c.RECEIVER) end,
  function() i2c.write(0) end,
  function() i2c.write(0, 256) end,
} do
  print(select(2, pcall(call)))
end
--> i2c.lua:14: i2c 10 does not exist
--> i2c.lua:15: i2c SDA on D0 is not supported
--> i2c.lua:16: gpio 13 does not exist
--> i2c.lua:17: i2c 5 is not configured
--> i2c.lua:18: wrong arg range
--> i2c.lua:19: wrong arg type
--> i2c.lua:20: wrong arg range
