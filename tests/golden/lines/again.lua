-- Instructions that are given another line, which is that of the one before them.
local f, t = ...

local function call()
  f(t()
  )
end

local function each()
  for k in f do if k then t()
  end end
end

local function named()
  local g
  f() function g()
  end
  return g
end

return call, each, named
