--[[SPLIT MODULE a]]
--[[SPLIT HERE]]
-- fine
return a
--> line 4: this line belongs to no chunk: mark it `--[[SPLIT IGNORE]]` if that is intended