-- what string.dump gives of functions of this chunk, frozen or not, stripped or not, runs the same
local load, count = loadstring or load, 0
local function up() count = count + 1 return count end
local functions = {
  ['constants of all kinds'] = function()
    return nil, true, false, 7, -1, 'short', '', 'a\0b', ('a string of more than forty bytes, which is a long one')
  end,
  ['functions in it'] = function(n)
    local function fib(i) return i < 2 and i or fib(i - 1) + fib(i - 2) end
    local function made(a) return function(b) a = a + b return a end end
    local add = made(n)
    add(1)
    return fib(n), add(n)
  end,
  ['varargs and a loop'] = function(...)
    local t = {n = select('#', ...), ...}
    for i = 1, t.n do t[i] = t[i] * 2 end
    return t.n, t[1], #t
  end,
  ['names of the core'] = function(n)
    local t = setmetatable({}, {__index = function(_, name) return name .. n end, __call = function(_, x) return x end})
    return t.x, t['end'], t(n), t.__index
  end,
  ['an error'] = function(n) local t = n and nil return pcall(function() return t.field end) end,
}
local names = {}
for name in pairs(functions) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do
  local f = functions[name]
  for _, strip in ipairs {false, true} do
    local dump = string.dump(f, strip)
    local copy = assert(load(dump, name))
    print(name, strip, #dump, dump == string.dump(copy, strip))
    local function values(g)
      local t = {g(9)}
      for i = 1, 9 do t[i] = tostring(t[i]) end
      return table.concat(t, ' ')
    end
    print(values(copy), values(f) == values(copy) or values(f))
  end
end
-- a dump has no upvalues of its own
print(up(), pcall(assert(load(string.dump(up)))))
-- no function of this chunk is there but by its constants: the core's own
print(pcall(string.dump, print))
