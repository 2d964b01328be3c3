-- Modules of NodeMCU that are not simulated say so; what NodeMCU has not is nil.
print(pcall(function() spi.setup(1) end))
print(pcall(function() return ws2812.init end))
print(pcall(function() u8g2.force = 1 end))
print(nosuchmodule, type(dht))
--> false	absent.lua:2: spi.setup is not simulated: the simulator has no spi
--> false	absent.lua:3: ws2812.init is not simulated: the simulator has no ws2812
--> false	absent.lua:4: u8g2.force is not simulated: the simulator has no u8g2
--> nil	table
