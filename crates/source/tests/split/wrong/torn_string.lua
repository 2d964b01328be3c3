--[[SPLIT MODULE a]]
x = [[
]] --[[SPLIT IGNORE]]
--> line 2: a string or comment continues beyond the marked line