-- closures, upvalues shared and apart, recursion, loops
local function counter(n)
  return function() n = n + 1 return n end, function() return n end
end
local up, see = counter(10)
up() up()
print(see(), counter(1)())

local fs = {}
for i = 1, 4 do fs[i] = function(j) i = i + (j or 0) return i end end
fs[2](40)
print(fs[1](), fs[2](), fs[3](1), fs[3]())

local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(15))

local function deep(n)
  local a, b, c = n, n + 1, n + 2
  return function()
    return function()
      a = a + 1
      return function() b = b + a return a, b, c end
    end
  end
end
local d = deep(1)()
print(d()()) print(d()()) print(deep(5)()()())

local t = {}
for k, v in pairs({one = 1, two = 2, three = 3}) do t[#t + 1] = k .. '=' .. v end
table.sort(t)
print(table.concat(t, ' '))

local i = 0
repeat local last = i >= 3; i = i + 1 until last
while true do i = i + 1 if i > 9 then break end end
for n = 10, 1, -3 do i = i + n end
print(i, (function(...) return select('#', ...) end)(nil, nil))
function frozen_global(x) return x and x .. '?' or 'none' end
print(frozen_global(), frozen_global 'a', _G.frozen_global('b'))
frozen_global = nil
-- many constants, so that some are loaded by number
local many = {}
for n = 1, 300 do many[n] = n * 2 end
local sum = 0
for _, v in ipairs(many) do sum = sum + v end
print(sum, #many, -2147483647, 2147483647, 1000000007 % 10007)
