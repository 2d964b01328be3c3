-- Tables and strings come and go; what stays has to be right.
local keep, sum = {}, 0
for round = 1, 20 do
  for i = 1, 60 do
    local t = {round, i, name = 'n' .. i, inner = {i * round}}
    if i % 20 == 0 then keep[#keep + 1] = t end
  end
  local s = {}
  for i = 1, 40 do s[i] = ('%d-%d'):format(round, i) end
  sum = sum + #table.concat(s)
  if round % 5 == 0 then collectgarbage() end
end
for _, t in ipairs(keep) do sum = sum + t[1] * t[2] + t.inner[1] + #t.name end
print(#keep, sum)
table.sort(keep, function(a, b) return a[1] * a[2] > b[1] * b[2] end)
print(keep[1][1], keep[1][2], keep[#keep][1], keep[#keep][2])
local weak, strong = setmetatable({}, {__mode = 'v'}), {}
weak[1], weak[2] = strong, {}
collectgarbage()
print(weak[1] == strong, weak[2])
table.insert(keep, 1, 'first') table.remove(keep)
print(keep[1], #keep, next {}, #{1, 2, nil, 4} >= 2)
