-- In 5.1 goto is a name like any other.
local goto = 1
t.goto = t["goto"]
function continue() return goto end
local unknown = "\q\x41\z"
return goto, unknown
