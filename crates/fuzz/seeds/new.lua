-- What only 5.3 has: goto, integers and their operators, _ENV, and what the collector calls.
local low, high = 7 // 2, 7 % 3 << 4
local bits = (low & high | 5 ~ 3) >> 1
local other = ~bits

local function jumps(n)
  local kept = {}
  for i = 1, n do
    local v = i
    if i % 2 == 0 then goto next end
    kept[#kept + 1] = function() v = v + 1 return v end
    ::next::
  end
  do
    local again = 0
    ::top::
    local captured = again
    kept[#kept + 1] = function() return captured end
    again = again + 1
    if again < 3 then goto top end
  end
  return kept
end

local function environment(...)
  local _ENV = {x = 1, y = {...}}
  function f(a) x = a return x, y end
  z = f(2)
  return f, _ENV
end

local function collected()
  local seen = 0
  for i = 1, 20 do
    setmetatable({i}, {__gc = function() seen = seen + 1 end, __mode = 'k'})
  end
  collectgarbage()
  return seen
end

local meta = {
  __idiv = function(a, b) return a, b end, __band = function() return 1 end,
  __shl = function(a) return a end, __bnot = function(a) return a end,
  __index = function(t, k) return k end, __pairs = function(t) return next, t, nil end,
}
local t = setmetatable({1, 2, 3, n = 3}, meta)
local strange = {t // 2, t & 1, t << 2, ~t, t.any, 2^53, 1e15, math.maxinteger, -1 // 1}
for k, v in pairs(t) do strange[k] = v end
local unpacked = {table.unpack(strange, 1, 5)}
local moved = table.move(unpacked, 1, 3, 2)
for _, code in utf8.codes('aé') do moved[#moved + 1] = code end
local wide = string.pack('<i4s2', 5, 'text')
return jumps, environment, {
  jumps = jumps(5), environment(1, 2), collected(), other, wide, string.unpack('<i4s2', wide),
  collected = collected, math.type(low), #unpacked,
}
