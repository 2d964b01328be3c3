-- Constructors, keys, calls with one argument.
local t = {["a"] = 1, ["b c"] = 2, ["end"] = 3, ["goto"] = 4, ["_1"] = 5, ["1_"] = 6, [("d")] = 7; [8] = 9,}
t["x"] = t["y"]["z"] t["while"] = t[ [[k]] ] t["é"] = t[("a")]
f("x") f('y') f[[z]] f({}) f({1, 2}) f({f()}) f(({})) f(("x")) f("x", 1) t:m("x") t:m({}) f("x")("y"){}
local u, v = {f(), f()}, {f(), f(), }
-- 5.1 allows this one line end before a call's parenthesis.
local w = {f
(1), f()}
return w, {f(), nil}, {nil}, {...}, {..., }, {(...), }, {[1] = f(), f()}, t, u, v
