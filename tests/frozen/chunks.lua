-- new chunks from this one: from source, from a dump of a function of this one
local load = loadstring or load
local f = assert(load('local a = ... return function(b) return a + b, "compiled" end', '=new'))
print(f(1)(2))
print(load('x ='))
local function plain(a, ...) local t = {a, ...} return #t, 'dumped', function() return t[1] end end
local again = assert(load(string.dump(plain)))
local n, s, inner = again(7, 8, 9)
print(n, s, inner(), s == 'dumped')
print(load('return "end", "__index", "a name in both"')())
local env = setmetatable({}, {__index = _G})
local g
if setfenv then g = setfenv(load 'made = "here" return made', env)
else g = load('made = "here" return made', 'c', 't', env) end
print(g(), env.made, made)
local m = {}
function m.one() return 'one' end
function m:two(x) return self.one() .. x end
print(m:two 'two', rawequal(m.one, m.one), m.one == m['o' .. 'ne'])
