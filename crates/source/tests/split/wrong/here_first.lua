x = 1 --[[SPLIT HERE a]]
--[[SPLIT MODULE a]]
--> line 1: SPLIT HERE before `--[[SPLIT MODULE name]]`