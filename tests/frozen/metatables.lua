-- events, whose names the core interned before any chunk was loaded
local V = {}
V.__index = V
local function new(x, y) return setmetatable({x = x, y = y}, V) end
V.__add = function(a, b) return new(a.x + b.x, a.y + b.y) end
V.__sub = function(a, b) return new(a.x - b.x, a.y - b.y) end
V.__mul = function(a, k) return new(a.x * k, a.y * k) end
V.__unm = function(a) return new(-a.x, -a.y) end
V.__eq = function(a, b) return a.x == b.x and a.y == b.y end
V.__lt = function(a, b) return a.x < b.x end
V.__le = function(a, b) return a.x <= b.x end
V.__concat = function(a, b) return tostring(a) .. '..' .. tostring(b) end
V.__call = function(self, ...) return self.x, ... end
V.__tostring = function(a) return '(' .. a.x .. ',' .. a.y .. ')' end
function V:len2() return self.x * self.x + self.y * self.y end
local a, b = new(1, 2), new(3, 4)
print(tostring(a + b), tostring(a - b), tostring(a * 5), tostring(-a), a == new(1, 2), a < b, a <= b, b < a)
print(a .. b, a .. 'x', a(7, 8), b:len2(), a.nothing)
local log = {}
local proxy = setmetatable({}, {
  __index = function(_, k) log[#log + 1] = 'get ' .. k return k .. k end,
  __newindex = function(t, k, v) log[#log + 1] = 'set ' .. k rawset(t, k, v) end,
  __metatable = 'locked'})
proxy.a = proxy.b
print(proxy.a, rawget(proxy, 'b'), getmetatable(proxy), table.concat(log, ','))
print(pcall(setmetatable, proxy, {}))
local weak = setmetatable({}, {__mode = 'kv'})
weak.name = {} weak[{}] = 'value' weak.kept = 'a frozen string is never collected'
collectgarbage() collectgarbage()
local left = {}
for k, v in pairs(weak) do left[#left + 1] = tostring(k) .. '=' .. tostring(v) end
print(#left, left[1])
local base = {greet = function(self) return 'I am ' .. self.name end}
local derived = setmetatable({}, {__index = base})
print(setmetatable({name = 'x'}, {__index = derived}):greet())
