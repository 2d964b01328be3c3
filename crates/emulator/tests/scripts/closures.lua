local function counter(n)
  return function(step) n = n + (step or 1) return n end, function() return n end
end
local up, now = counter(10)
up() up(5)
print(now(), select(2, counter(3))())
local fibonacci
fibonacci = function(n) return n < 2 and n or fibonacci(n - 1) + fibonacci(n - 2) end
print(fibonacci(15))
local Account = {}
Account.__index = Account
Account.__add = function(a, b) return a.value + b.value end
Account.__tostring = function(a) return 'account of ' .. a.value end
function Account.new(value) return setmetatable({value = value}, Account) end
function Account:put(n) self.value = self.value + n return self end
print(Account.new(5):put(7) + Account.new(1), tostring(Account.new(3)))
local co = coroutine.wrap(function(...)
  for i = 1, select('#', ...) do coroutine.yield(i, (select(i, ...))) end
  return 'done'
end)
print(co('a', 'b'), co()) print(co())
print(pcall(function() local ok, why = pcall(error, {code = 7}) return ok, why.code end))
local function deep(n) if n > 0 then return 1 + deep(n - 1) end return 0 end
print(deep(150), pcall(string.rep))
