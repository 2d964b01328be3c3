--[[SPLIT MODULE a]]
x = 1
--[[SPLIT MODULE b]]
--> line 3: SPLIT MODULE within the module begun on line 1: a file is one module