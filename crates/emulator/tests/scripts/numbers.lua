-- What tells the number models apart, and what the chip computes in software.
print(7 / 2, -7 / 2, 7 % 3, -7 % 3, 7 % -3, 2 ^ 10, 2147483647 + 1, -5 - 7)
print(1 < 2, 2 <= 1, 3 == 3, tostring(10) .. 20, tonumber '0x1f', tonumber ' 12 ', tonumber '1z')
local fractions = 1 / 2 ~= 0
if fractions then -- in a string: an integer core refuses such literals
  (loadstring or load) [[
    print(('%.4f %.4f %.4f'):format(math.sin(1), math.exp(1), math.sqrt(2)))
    print(('%.5f %.5f %.5f'):format(math.log(10), math.atan2 and math.atan2(1, 2) or math.atan(1, 2), math.fmod(7, 3)))
    print(1 / 3, 1e10, 2 ^ 0.5, 1e-3, 123456.75 * 3, -1e5 / 7, 0.1 + 0.2)
    print(math.floor(-3.5), math.ceil(-3.5), math.huge, -math.huge, 1e38 * 1e3 > 1e38)
    for _, text in ipairs {'0.1', '1e3', '3.14159', '.5', '5.', '1e-5', '0x10', '16777216'} do
      io.write(text, '=', tonumber(text), ' ')
    end
    print()
  ]]()
end
if _VERSION == 'Lua 5.3' then
  print(load [[
    local t = {7 // 2, -7 // 2, 7.5 // 2, 7 & 3, 7 | 8, 7 ~ 2, ~0, 1 << 4, 256 >> 4, 1 << 31, -1 >> 28}
    for i, v in ipairs(t) do t[i] = tostring(v) end
    return table.concat(t, ' '), math.type(1), math.type(1.0), math.tointeger(3.0), 3 | 0
  ]]())
  print(math.maxinteger, math.mininteger, math.maxinteger + 1 == math.mininteger)
  load [[print(math.maxinteger // -1, math.mininteger // -1, math.mininteger % -1, pcall(function() return 1 // 0 end))]]()
end
