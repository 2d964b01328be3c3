-- needed: gpio wifi tmr pwm
gpio.mode(1, 2)
gpio.mode("1", "0x2")
gpio.mode("D1", 2) --> argument-kind
gpio.mode(1) --> argument-kind
gpio.mode(1, nil) --> argument-kind
gpio.mode(1, 2, nil)
gpio.mode({}, 2) --> argument-kind
gpio.mode(pin, 2)
gpio.mode(...)
gpio.mode(1, ...)
wifi.sta.config({ ssid = "a" })
wifi.sta.config("a", "b") --> argument-kind
wifi.sta.config("a" .. 1, "b") --> argument-kind
wifi.sta.config(options)
tmr.create():alarm(1, tmr.ALARM_AUTO, function() end)
tmr.create():alarm(1, tmr.ALARM_AUTO, "print()") --> argument-kind
tmr.create():alarm(1, 0) --> argument-kind
pwm.setup(1, 100, true) --> argument-kind
-- luacheck: globals pin options
