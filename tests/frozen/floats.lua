print(7 / 2, 0.1 + 0.2 == 0.3, 1e15, -0.5, 1 / 3 > 0.33, 2 ^ 10, 5 % 3.5, 1e30 > 1e29)
local huge, tiny = 1e999, 1e-30
print(huge == huge * 2, -huge < 0, tiny > 0, math.floor(3.7), 0.0 == -0.0, 1 / huge == 0)
print(string.format('%.3f %5.1f', 3.14159, 2.55), tostring(0.25), 1e2)
local t = {[0.5] = 'half', [1e10] = 'big'}
print(t[1 / 2], t[10000000000.0])
