node.setonerror(function(text) print("caught", (text:match("^[^\n]*"))) end)
node.task.post(function() error("one") end)
tmr.create():alarm(10, tmr.ALARM_SINGLE, function() error("two") end)
--> caught	onerror.lua:2: one
--> caught	onerror.lua:3: two
