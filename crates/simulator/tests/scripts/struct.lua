local function hex(s) return encoder.toHex(s) end
print(hex(struct.pack("<bHi", -1, 258, 1)), hex(struct.pack(">hI3", -2, 0x010203)))
--> ff020101000000	fffe010203
print(struct.pack("I", 0x41424344), struct.unpack(">I", "ABCD"))
--> DCBA	1094861636	5
-- A length in front of a string.
print(hex(struct.pack("Bc0", 3, "abc")), struct.unpack("Bc0", "\3abcd"))
--> 03616263	abc	5
print(hex(struct.pack("s", "ab")), struct.unpack("sb", "ab\0\1"))
--> 616200	ab	1	5
print(hex(struct.pack("<!4bi", 1, 2)), struct.size("<!4biiii"), struct.size("i"), struct.size("!8bd"))
--> 0100000002000000	20	4	16
print(hex(struct.pack(">d", 1)), struct.unpack("<f", "\0\0\192\63"))
--> 3ff0000000000000	1.5	5
print(struct.unpack("<bBi2I2", "\255\255\254\255\254\255"))
--> -1	255	-2	65534	7
print(struct.unpack("<b x b", "\1\2\3")) print(struct.unpack("c2", "abc", 2))
--> 1	3	4
--> bc	4
for _, call in ipairs {
  function() struct.pack("i9", 1) end,
  function() struct.pack("!3i", 1) end,
  function() struct.pack("y", 1) end,
  function() struct.pack("c4", "abc") end,
  function() struct.pack("b") end,
  function() struct.unpack("i", "abc") end,
  function() struct.unpack("c0", "abc") end,
  function() struct.unpack("s", "abc") end,
  function() struct.unpack("b", "abc", 5) end,
  function() struct.size("bs") end,
  function() struct.size("c99999999999") end,
} do
  print(select(2, pcall(call)))
end
--> struct.lua:21: integral size 9 is larger than limit of 8
--> struct.lua:22: alignment 3 is not a power of 2
--> struct.lua:23: bad argument #1 to 'pack' (invalid format option 'y')
--> struct.lua:24: bad argument #3 to 'pack' (string too short)
--> struct.lua:25: bad argument #2 to 'pack' (number expected, got no value)
--> struct.lua:26: bad argument #2 to 'unpack' (data string too short)
--> struct.lua:27: format `c0' needs a previous size
--> struct.lua:28: unfinished string in data
--> struct.lua:29: bad argument #2 to 'unpack' (data string too short)
--> struct.lua:30: bad argument #1 to 'size' (option 's' has no fixed size)
--> struct.lua:31: integral size overflow
