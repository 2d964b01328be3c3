--[[SPLIT MODULE a]]
x = 1 --[[SPLIT IGNORE]] --[[
]]
--> line 2: a string or comment continues beyond the marked line