-- _ENV keeps its name; what it means, too.
local a, print = 1, print
local _ENV = {print = print}
local b = x
y = a
local function f(_ENV, a) z = a return w, (_ENV).v, _ENV.u end
do local c = d local _ENV = c local e = g print(e) end
local function h() local _ENV = _ENV; return function() return i, (_ENV).j, (a).k end end
for _ENV in pairs({}) do k = 1 end
return f, h, b
