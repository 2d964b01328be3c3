-- needed: tmr gpio wifi node u8g2 adc
tmr.alarm(1, 1000, 1, print) --> name-absent
tmr.create():alarm(1000, tmr.ALARM_SINGLE, print)
local t = tmr
t.stop(1) --> name-absent
t.create():stop()
local stop = t.stop
stop(1) --> name-absent
local now = t.now
now()
gpio.mode(1, gpio.OUTPUT)
gpio.mode(1, gpio.OUT) --> name-absent
wifi.setMode(1) --> name-absent
wifi.setmode(1)
wifi.sta.getIP() --> name-absent
wifi.sta.getip()
wifi.stat.getip() --> name-absent
node.LFS.whatever()
u8g2.a_display_of_the_configuration(0, 0x3c):clearBuffer()
print(adc["read"](0), adc["raed"](0)) --> name-absent
