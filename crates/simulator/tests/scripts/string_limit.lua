--! only 5.1
-- What the chip joins has at most 4,095 bytes; what it has in one piece may be longer.
local part = ('x'):rep(4000)
local function lengths(f)
  local found = {}
  for _, n in ipairs {4095, 4096, 4097, 10000} do
    local ok, value = pcall(f, n)
    found[#found + 1] = ok and (type(value) == 'string' and #value or 'ok') or tostring(value):sub(1, 60)
  end
  print(unpack(found, 1, 4))
end
local long, texts = {}, {}
node.egc.setmode(node.egc.ON_ALLOC_FAILURE)
for _, n in ipairs {4095, 4096, 4097, 10000} do
  long[n] = ('x'):rep(n)
  file.putcontents('f' .. n, long[n])
  texts[n] = sjson.encode({long[n]})
end
node.egc.setmode(node.egc.ALWAYS, 4096)
lengths(function(n) return ('x'):rep(n) end)
lengths(function(n) return part .. long[n]:sub(1, n - 4000) end)
lengths(function(n) return 'x' .. long[n]:sub(2) end) -- one that is longer by itself comes through where it is the last
lengths(function(n) return long[n]:sub(2) .. 'x' end)
lengths(function(n) return long[n] .. '' end)
lengths(function(n) return table.concat({part, long[n]:sub(1, n - 4000)}) end)
lengths(function(n) return (long[n]:gsub('x', 'y')) end)
lengths(function(n) return ('%s%s'):format(part, long[n]:sub(1, n - 4000)) end)
lengths(function(n) return ('%s'):format(long[n]) end)
lengths(function(n) return long[n]:upper() end)
lengths(function(n) return long[n]:reverse() end)
lengths(function(n) error(long[n]) end) -- with its place in front
lengths(function(n) return long[n]:sub(1) end)
lengths(function(n) return encoder.toBase64(long[n]:sub(1, n - n % 4)) end)
lengths(function(n) return file.getcontents('f' .. n) end)
lengths(function(n)
  local f = file.open('f' .. n)
  return f:read(n)
end)
lengths(function(n) return crypto.mask(long[n], 'y') end)
lengths(function(n) return struct.pack('c0', long[n]) end)
lengths(function(n) return sjson.encode({long[n]:sub(5)}) end)
lengths(function(n) return sjson.encoder({long[n]:sub(5)}):read(10) end)
lengths(function(n) return sjson.decode(texts[n])[1] end)
lengths(function(n)
  local p = pipe.create()
  p:write(long[n])
  return p:read(20000)
end)
lengths(function(n)
  i2c.setup(0, 1, 2, i2c.SLOW)
  return i2c.read(0, n)
end)
-- A message without a place is in one piece.
local ok, message = pcall(error, long[10000], 0)
print(ok, #message)
--> 4095	string length overflow	string length overflow	string length overflow
--> 4095	string_limit.lua:21: string length overflow	string_limit.lua:21: string length overflow	10000
--> 4095	string_limit.lua:22: string length overflow	string_limit.lua:22: string length overflow	10000
--> 4095	string_limit.lua:23: string length overflow	string_limit.lua:23: string length overflow	string_limit.lua:23: string length overflow
--> 4095	4096	4097	10000
--> 4095	string length overflow	string length overflow	10000
--> 4095	string length overflow	string length overflow	string length overflow
--> 4095	string length overflow	string length overflow	10000
--> 4095	4096	4097	10000
--> 4095	string length overflow	string length overflow	string length overflow
--> 4095	string length overflow	string length overflow	string length overflow
--> string length overflow	string length overflow	string_limit.lua:31: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx	string_limit.lua:31: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
--> 4095	4096	4097	10000
--> 5456	5464	5464	13336
--> 4095	string length overflow	string length overflow	string length overflow
--> 4095	string length overflow	string length overflow	string length overflow
--> 4095	string length overflow	string length overflow	string length overflow
--> 4095	string length overflow	string length overflow	string length overflow
--> 4095	string length overflow	string length overflow	string length overflow
--> 10	string length overflow	string length overflow	string length overflow
--> 4095	string length overflow	string length overflow	string length overflow
--> 4095	string length overflow	string length overflow	string length overflow
--> 4095	string length overflow	string length overflow	string length overflow
--> false	10000
