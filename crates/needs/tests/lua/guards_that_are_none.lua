-- needed: bit adc sjson
-- without: bit adc sjson
if pwm then print(bit.band(1, 2)) end --> module-disabled
if not adc then print(adc.read(0)) end --> module-disabled
local json = require "sjson" --> module-disabled
