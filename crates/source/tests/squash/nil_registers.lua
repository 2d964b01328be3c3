-- LOADNIL takes in its neighbour: how many a local statement clears at once can show.
do local i = false, {}, nil end
local a
local k
do local p, q = 1, 2 local r end
local b, c = nil, nil
local d
do local p, q = 1, 2 local r end
local e
local f, g
local h = 1
repeat local p, q = 1, 2 local r until true
local i, j
local l
local function m()
  local n
  local o
  do local p, q, r = 1, 2 end
  local s, t
  local u = nil, nil
  if true then local v local w end
  local x1 = 1, 2, 3, nil
  local x2
  local x3
  return n, o, s, t, u, x1, x2, x3
end
return a, k, b, c, d, e, f, g, h, i, j, l, m
