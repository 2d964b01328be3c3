--! pin 0 ow.input 4 28ff641e8216031c 500591
--! pin 0 ow.input 4 10aabbccddeeff00 4b
local hex, from = encoder.toHex, encoder.fromHex
ow.setup(4)
print(ow.reset(4), ow.reset(5))
--> 1	0
ow.reset_search(4)
print(hex(ow.search(4)), hex(ow.search(4)), ow.search(4))
--> 10aabbccddeeff00	28ff641e8216031c	nil
ow.target_search(4, 0x28)
local rom = ow.search(4)
print(hex(rom), ow.search(4))
--> 28ff641e8216031c	nil
ow.select(4, rom)
ow.write(4, 0xBE, 1)
print(ow.read(4), hex(ow.read_bytes(4, 3)))
--> 80	0591ff
ow.reset(4)
ow.skip(4)
ow.write_bytes(4, "\190", 1)
ow.depower(4)
print(hex(ow.read_bytes(4, 1)))
--> 4b
-- The examples of Dallas's application note 27.
print(ow.crc8(from("021cb801000000")), ow.crc16("123456789"))
--> 162	47933
local crc = ow.crc16("abc")
local inverted = bit.bxor(crc, 0xFFFF)
print(ow.check_crc16("abc", bit.band(inverted, 255), bit.rshift(inverted, 8)), ow.check_crc16("abc", 0, 0))
--> true	false
for _, call in ipairs {
  function() ow.setup(0) end,
  function() ow.reset(13) end,
  function() ow.select(4, "short") end,
  function() ow.write(4, 256) end,
  function() ow.read_bytes(4, 257) end,
  function() ow.crc8(("x"):rep(256)) end,
} do
  print(select(2, pcall(call)))
end
--> ow.lua:32: no 1-wire for D0
--> ow.lua:33: ow 13 does not exist
--> ow.lua:34: wrong arg range
--> ow.lua:35: wrong arg range
--> ow.lua:36: bad argument #2 to 'read_bytes' (Attempt to read too many characters)
--> ow.lua:37: wrong arg range
