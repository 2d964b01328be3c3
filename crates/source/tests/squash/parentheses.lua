-- Parentheses that can go, and those that can't.
local a, b, c, f = 1, 2, 3, print
local up = {}
local t = {(f()), (f()), x = (f()), [(f())] = (f()), (f())}
local r = (f())
local s, u = (f())
local v, w = (...), (...)
a, b = (f()), (f())
a = (f())
f((f()))
f((f()), (f()))
f((a)); (f)(a); ((f))(a); (up.x)(a); (a or f)(b);
(function() end)();
((f))();
("x"):rep(3)
a = ((a + b) * c) + (a * (b * c)) - (a - (b - c)) .. ((a .. b) .. (b .. c))
a = (a ^ b) ^ c, a ^ (b ^ c), -(a ^ b), (-a) ^ b, (not a) == b, not (a == b), -(-a), - -a, 2 - (-3), #(up)
a = (a and b) or c, a and (b or c), (a or b) and c, (a < b) == (b < c), ((a)) < ((b)), (a == nil) ~= (b)
function g() local h = f;((up).x)(1); h = f
  ;((up)[1])(2) return (up).x, (up)[1], (up):m(), (up)(1), ((up)).x, (up)(), (f()).x, (f())(), (f().x), ({}).x end
for i = (f()), (f()), (f()) do end
for k in (f()) do end
if (...) then elseif (f()) then end
while (a) do break end
repeat until (a and (b or nil))
local last = a
;(f or g)()
local nothing
(f or g)()
return (f()), (f())
