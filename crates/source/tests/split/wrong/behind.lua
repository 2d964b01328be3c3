--[[SPLIT MODULE a]]
f() --[[SPLIT HERE b]] g()
--> line 2: code after the SPLIT marker would be lost: the marker must end its line