--[[SPLIT MODULE a]]
x = 1 --[[SPLIT IGNORE]] --[[
]]
--> line 2: a string or comment goes on beyond the marked line