--[[SPLIT MODULE a]]
x = 1
--[[SPLIT MODULE b]]
--> line 3: second SPLIT MODULE, after the one on line 1: a file is one module