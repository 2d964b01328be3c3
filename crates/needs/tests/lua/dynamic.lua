-- needed: tmr fast
-- passed: adc gpio
-- unknown: 6
local name = ...
print(_G[name].read(0))
local code = loadstring(name)
for key, value in pairs(_G) do print(key, value) end
require(name)
dofile(name)
fast.load(name)
local list = { adc, gpio }
tmr.now()
print(_G["tmr"].now())
print(not_set_here) --> global-undefined
