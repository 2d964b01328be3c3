local function gen(n)
  return coroutine.wrap(function() for i = 1, n do coroutine.yield(i, 'v' .. i) end return 'done' end)
end
local g = gen(3)
print(g()) print(g()) print(g()) print(g())
print(pcall(g))
local co = coroutine.create(function(a, b)
  local c = coroutine.yield(a + b)
  local d, e = coroutine.yield(c * 2)
  error('in the coroutine ' .. d .. e)
end)
print(coroutine.resume(co, 1, 2)) print(coroutine.resume(co, 10)) print(coroutine.resume(co, 'x', 'y'))
print(coroutine.status(co), coroutine.resume(co))
local function producer() return coroutine.create(function() for _, s in ipairs {'a', 'b', 'c'} do coroutine.yield(s) end end) end
local function filter(p) return coroutine.wrap(function()
  while true do local _, s = coroutine.resume(p) if not s then return end coroutine.yield(s:upper()) end end) end
local out = {}
for s in filter(producer()) do out[#out + 1] = s end
print(table.concat(out))
local many = {}
for i = 1, 50 do many[i] = coroutine.wrap(function() local x = i while true do x = x + coroutine.yield(x) end end) many[i]() end
collectgarbage()
local sum = 0
for i = 1, 50 do sum = sum + many[i](i) end
print(sum)
local inside = coroutine.wrap(function() return pcall(function() return coroutine.running() ~= nil end) end)
print(inside())
