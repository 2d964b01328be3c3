-- fine
x = 1
--[[SPLIT MODULE a]]
--> line 2: code before `--[[SPLIT MODULE name]]` would be lost: only comments are allowed there