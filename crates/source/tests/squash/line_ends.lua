-- CR LF, LF CR and lone CR
local a = 1

local b = '\
'local c = [[
12
3]] -- x
return a, b, c