-- Each instruction that both Luas have, in little code that runs to its end.
local first, second = ...

local function sum(...)
  local total, n = 0, select('#', ...)
  for i = 1, n do
    local value = select(i, ...)
    if type(value) == 'number' then total = total + value end
  end
  return total, n
end

local function counter(step)
  local n = 0
  return function(more)
    n = n + (tonumber(more) or step)
    return n
  end, function() n = 0 end
end

local function closures()
  local made = {}
  for i = 1, 4 do
    local j = i * 2
    made[i] = function() j = j + i return j end
  end
  local k = 0
  while k < 3 do
    k = k + 1
    local kept = k
    made[#made + 1] = function() kept = kept - 1 return kept, k end
    if kept == 2 then break end
  end
  return made
end

local function pairs_of(t)
  local keys = {}
  for key, value in pairs(t) do keys[#keys + 1] = tostring(key) .. '=' .. tostring(value) end
  table.sort(keys)
  return table.concat(keys, ',')
end

local object = {name = 'object', list = {1, 2, 3, 'four', nil, 6}}
object.__index = object
function object:say(...) return self.name .. ':' .. #self.list, ... end
function object.new(name) return setmetatable({name = name}, object) end
object.__add = function(a, b) return object.new(a.name .. b.name) end
object.__concat = function(a, b) return tostring(a) .. '..' .. tostring(b) end
object.__tostring = function(self) return self.name end
object.__eq = function(a, b) return a.name == b.name end
object.__lt = function(a, b) return a.name < b.name end
object.__call = function(self, ...) return self:say(...) end
object.__len = function() return 3 end
object.__unm = function(a) return a.name end
object.__newindex = function(t, k, v) rawset(t, k, v) end

local function coroutines(n)
  local worker = coroutine.wrap(function(a)
    for i = 1, n do a = coroutine.yield(a, i) end
    return 'done'
  end)
  local last
  for i = 1, n do last = worker(i) end
  return last, worker()
end

local function tail(n, ...)
  if n <= 0 then return ... end
  return tail(n - 1, n, ...)
end

local function logic(a, b)
  local c = a and b or not a
  local d = a == b or a ~= nil and b
  local e = (a or b) and {a, b, n = c}
  return c, d, e, a == b, not (a == b)
end

local function items(...)
  return {first, second, ..., sum(1, 2)}, {..., n = select('#', ...)}, {sum(...)}
end

local add, reset = counter(2)
local made = closures()
for _, f in ipairs(made) do f() end
local one, two = object.new('one'), object.new('two')
local text = one .. two .. 'x' .. 1 .. 2
local ok, message = pcall(function() return text + {} end)
local same = one == two or one < two or one <= two
local three = (one + two)('said', -one, #one)
for down = 10, 1, -3 do add(down) end
reset()
add()
for fraction = 1, 2, 1 do made[fraction] = fraction % 3 ^ 2 / 1 - fraction * 2 end
repeat local inner = function() return first end; first = nil until inner() == nil
collectgarbage()
global_function = function(x) return x, text, object end
return {
  sum = sum, counter = counter, closures = closures, tail = tail, logic = logic, items = items,
  pairs_of(made), coroutines(3), tail(4, 'a'), logic(first, second), items(1, nil, 3),
  [1] = message, [true] = same, [2] = three, ok = ok,
}, tail, add
