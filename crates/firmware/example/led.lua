--[[SPLIT MODULE led]]
-- The Lua half of led.c: led.blink(times) is loaded when it is first used.
--[[SPLIT HERE led-blink]]
local times = ...
local words = {}
for i = 1, times do
  words[i] = led.set(i % 2)
end
return table.concat(words, ' ')
