-- needed: adc cjson
-- without: pwm adc
adc.read(0) --> module-disabled
print(adc.read(1))
cjson.decode("{}") --> module-absent
local function never() return pwm end
