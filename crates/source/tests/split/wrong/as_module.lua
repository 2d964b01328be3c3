--[[SPLIT MODULE a]]
x = 1 --[[SPLIT HERE a]]
--> line 2: chunk `a` has begun on line 1 already