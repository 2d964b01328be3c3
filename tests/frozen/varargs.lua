local function pack(...) return {n = select('#', ...), ...} end
local function tail(n, ...) if n == 0 then return ... end return tail(n - 1, n, ...) end
print(pack().n, pack(nil, nil).n, #pack(1, 2, 3), tail(5, 'end'))
local un = table.unpack or unpack
print((un {1, 2, 3}), un({1, 2, 3}, 2))
local function fixed(a, b, ...) return b, a, ... end
print(fixed(1), fixed(1, 2, 3, 4))
print((select(-1, 'a', 'b', 'c')), select(2, 'a', 'b', 'c'))
local t = {fixed(1, 2, 3), fixed(4, 5, 6)}
print(#t, t[1], t[2], t[3], t[4])
print(pcall(function(...) return ... end, 1, nil, 3))
local function many() return un({}, 1, 200) end
print(select('#', many()), select('#', many(), many()))
print(string.format('%s %s', (function(...) return ... end)('a', 'b')))
print((...))
