--[[SPLIT MODULE a]]
local a = {}
if FAST_a or SPIFFS_a then
  return a
end
function a.one(...) --[[SPLIT HERE a-b]]
print('one', ...)
end --[[SPLIT HERE]]
function a.two(...) --[[SPLIT HERE a_b]]
print('two', ...)
end --[[SPLIT HERE]]
return a --[[SPLIT IGNORE]]
