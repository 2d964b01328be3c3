-- Every way in which a connection does not come about.
local function attempt(name, answer, done)
  local broker = net.createServer()
  broker:listen(0, function(socket)
    socket:on("receive", function(s)
      if answer then s:send(encoder.fromHex(answer)) else s:close() end
    end)
  end)
  local m = mqtt.Client()
  m:on("offline", function() print("never") end)
  m:connect("localhost", (broker:getaddr()), function() print("never") end, function(c, reason)
    print(name, c == m, reason)
    broker:close()
    done()
  end)
end
attempt("no user", "20020004", function()
  attempt("no connack", "d000", function()
    attempt("closed", nil, function()
      local m = mqtt.Client("x", 5)
      m:connect("127.0.0.1", 1, function() end, function(_, reason)
        print("nobody", reason, reason == mqtt.CONN_FAIL_SERVER_NOT_FOUND)
      end)
    end)
  end)
end)
print(pcall(mqtt.Client().connect, mqtt.Client(), "192.0.2.1"))
--> false	192.0.2.1 is not this PC, and network access is not allowed
print(pcall(mqtt.Client().on, mqtt.Client(), "nothing", print))
--> false	bad argument #1 to 'on' (invalid option 'nothing')
--> no user	true	4
--> no connack	true	-4
--> closed	true	-5
--> nobody	-5	true
