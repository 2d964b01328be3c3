--[[SPLIT MODULE a]]
local x, FAST_a = 1
--> line 2: `local FAST_a` hides the variable that is true in each chunk: do not declare it