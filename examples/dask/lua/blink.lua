local blink = {}

-- Turns a pin on and off, each for so many milliseconds.
function blink.start(pin, ms)
  gpio.mode(pin, gpio.OUTPUT)
  local on = false
  blink.timer = tmr.create()
  blink.timer:alarm(ms, tmr.ALARM_AUTO, function()
    on = not on
    gpio.write(pin, on and gpio.HIGH or gpio.LOW)
  end)
end

return blink
