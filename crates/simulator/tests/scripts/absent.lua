-- Modules of NodeMCU that are not simulated say so; what NodeMCU has not is nil.
print(pcall(function() gpio.write(4, 1) end))
print(pcall(function() return ws2812.init end))
print(pcall(function() adc.force = 1 end))
print(nosuchmodule, type(ow))
--> false	absent.lua:2: gpio.write is not simulated: the simulator has no gpio
--> false	absent.lua:3: ws2812.init is not simulated: the simulator has no ws2812
--> false	absent.lua:4: adc.force is not simulated: the simulator has no adc
--> nil	table
