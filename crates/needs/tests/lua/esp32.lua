-- for: esp32
-- needed: adc pwm tmr file
adc.read(0, 1)
adc.read(0) --> argument-kind
pwm.setup(1, 2, 3) --> module-absent
io.open("a"):close()
tmr.now() --> name-absent
file.open("a") --> name-absent
file.list()
