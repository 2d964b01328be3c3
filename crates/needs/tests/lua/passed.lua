-- needed: tmr gpio
-- passed: adc i2c spi
local function run(clock) return clock.now() + clock.later() end --> name-absent
run(tmr)
setup(adc) --> global-undefined
setup({ bus = i2c }) --> global-undefined
local pins = { out = gpio }
pins.out.write(1, 1)
return { spi = spi }
