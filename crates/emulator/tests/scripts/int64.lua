-- 64-bit integers, where the model has them: the CPU multiplies and divides them in software.
if ('%d'):format(math.maxinteger or 0) ~= '9223372036854775807' then
  print 'no 64-bit integers'
  return
end
load [[
local values = {0, 1, -1, 3, -10, 1000003, 0x7fffffff, 0x80000000, -0x80000001, 0x123456789abcdef, math.maxinteger, math.mininteger}
for _, a in ipairs(values) do
  for _, b in ipairs(values) do
    io.write(a * b, ' ', a + b, ' ', a - b, ' ')
    if b ~= 0 then io.write(a // b, ' ', a % b, ' ', ('%.14g'):format(a / b), ' ') end
  end
  print(a, a << 7, a >> 7, ('%x %d'):format(a, a), a + 0.0)
end
]]()
