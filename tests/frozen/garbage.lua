-- what is made while it is collected
local keep = {}
for i = 1, 200 do
  local s = 'string number ' .. i
  keep[i % 17] = {s, name = s, f = function() return s .. keep[1 % 17][1] end}
  if i % 50 == 0 then collectgarbage() end
end
local total = 0
for _, v in pairs(keep) do total = total + #v.f() end
print(total)
local old = collectgarbage('count')
for i = 1, 20 do local t = {} for j = 1, 50 do t['k' .. j] = function() return i, j end end end
collectgarbage() collectgarbage()
print(collectgarbage('count') < old + 20)
collectgarbage('setpause', 50) collectgarbage('setstepmul', 1000)
local list
for i = 1, 300 do list = {next = list, value = 'v' .. i} if i % 9 == 0 then list = list.next end end
local n = 0
while list do n = n + #list.value list = list.next end
print(n)
collectgarbage('setpause', 200) collectgarbage('setstepmul', 200)
local t = setmetatable({}, {__mode = 'k'})
for i = 1, 20 do t[{}] = 'garbage' end
t['frozen key'] = 'stays'
collectgarbage() collectgarbage()
local count = 0
for k in pairs(t) do count = count + 1 end
print(count, t['frozen' .. ' key'])
