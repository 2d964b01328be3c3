--[[SPLIT MODULE a]]
x = "
--> line 2: unfinished string