-- Runs of local statements: what may be joined and what may not.
local one = 1
local two = 2
local sum = one + two
local three, four = 3
local five = 5
local a, b, c = f()
local d = g()
local e = ...
local first, second = ...
local only = (...)
local pair = f(), g()
local x = nil
local y, z = 1, nil
local p, q = f(), nil
local function plain() return 1 end
local function recursive(n) return n and recursive(n - 1) end
local function uses() return plain, recursive, sum end
local function free(n) return n end
local shadow = shadow
local shadow = shadow
local t, u = {one}, function() return one, two end
do
  local inner = one
  local other = two
  local inner = inner
  print(inner, other, a, b, c, d, e, first, second, only, pair)
end
return x, y, z, p, q, uses, free, shadow, t, u, three, four, five
