x = 1 --[[SPLIT IGNORE]]
--> line 1: SPLIT IGNORE before `--[[SPLIT MODULE name]]`