--! ends callback_error.lua:2: oops
tmr.create():alarm(5, tmr.ALARM_SINGLE, function() error("oops") end)
tmr.create():alarm(50, tmr.ALARM_AUTO, function() print("never") end)
