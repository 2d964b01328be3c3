-- globals: shared
-- needed: tmr
pritn("a") --> global-undefined
print("a")
counter = 1
counter = counter + 1
function greet() return counter + total end --> global-undefined
greet()
if DEBUG then print(DEBUG) end
print(shared)
print(declared)
-- luacheck: globals declared
print(tmr.now(), string.format("%d", 1), _VERSION, _G.counter)
_G.other = 1
print(other, _G.another) --> global-undefined
