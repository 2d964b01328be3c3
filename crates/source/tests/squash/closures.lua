-- Which variable a name means, through functions and scopes.
local counter, name = 0, 'x'
local function make(step)
  local counter = counter
  return function(times)
    for i = 1, times do
      local name = name .. i
      counter = counter + step
      do local step = name; print(step, times, a, b) end
    end
    repeat local done = counter > times; local step = done until done or step
    for name, value in pairs(a or {}) do b = function() return name, value, counter end end
    return counter, name
  end
end
function outer(name, name, _) local _ = name return function(a) return a, _, counter, b end end
local function same(a, a) return a end
return make, same, name
