--[[SPLIT MODULE a]]
x = 1 --[[SPLIT HERE a]]
--> line 2: chunk `a` already begins on line 1