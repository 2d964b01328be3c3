--[[SPLIT MODULE whole]]
local M = {}
function M.f(a) return a end
return M
--[[SPLIT HERE]]
