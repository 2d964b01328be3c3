-- Tasks run by priority, one at a time, never inside another.
local order = {}
for _, priority in ipairs {0, 1, 2, 0, 1, 2} do
  node.task.post(priority, function(p)
    order[#order + 1] = p
    if #order == 1 then node.task.post(2, function() print("posted by the first") end) end
    if #order == 6 then print(table.concat(order, " ")) end
  end)
end
for _ = 3, 8 do node.task.post(function() end) end
print(select(2, pcall(node.task.post, function() end)))
print(select(2, pcall(node.task.post, 3, function() end)))
--> Task queue overflow. Task not posted
--> bad argument #1 to 'post' (invalid  priority)
--> posted by the first
--> 2 2 1 1 0 0
