#!/usr/bin/env lua
-- Separators, and what begins with a parenthesis.
local f, g, t = print, print, {}
;(f or g)()
t.x = f;(f or g)()
t[1] = t
;(f or g)();
f();
((f or g))()
do (f or g)() end
local function p(...) (f or g)(...) end
if t then (f or g)() else (f or g)() end
repeat (f or g)() until true
while t do (f)() break end
t.y = "x";(f or g)()
t.y = {};(f or g)()
t.y = 5;(f or g)()
t.y = nil;(f or g)()
t.y = function() end;(f or g)()
t.z = - - -1 - -1; t.w = not not-1; t.v = - -(-1)
for _ = 1, 2 do (f or g)() end
for k, v in (f or g)() do (f or g)() end
local a;(f or g)()
local b = nil;(f or g)()
local c = t local d = t;(f or g)()
local e = f();((f or g))()
return;
