-- A client and what a broker says to it, byte by byte, in one device.
local hex, from = encoder.toHex, encoder.fromHex
local broker = net.createServer()
local conn
local heard = {}
-- What the broker answers to the packets of each kind.
local answers = {
  ["1"] = "20020000", -- accepted
  ["8"] = "90030001" .. "00",
  ["a"] = "b0020002",
  ["c"] = "d000",
}
broker:listen(0, function(socket)
  conn = socket
  socket:on("receive", function(s, data)
    heard[#heard + 1] = hex(data)
    local answer = answers[hex(data):sub(1, 1)]
    if answer then s:send(from(answer)) end
  end)
  socket:on("disconnection", function()
    print("the broker heard\n" .. table.concat(heard, "\n"))
    broker:close()
  end)
end)
local port = broker:getaddr()

local m = mqtt.Client("id", 60, "user", "pass", 0, 64)
m:lwt("will", "bye", 1, 1)
m:on("message", function(_, topic, data) print("message", topic, data) end)
m:on("overflow", function(_, topic, data) print("overflow", topic, #data) end)
print(pcall(m.publish, m, "a", "b", 0, 0))
--> false	not connected
print(pcall(m.connect, m, "127.0.0.1", port, true))
--> false	ssl not available
local function finish()
  m:on("offline", function(c) print("offline", c == m) end)
  m:close()
end
local function push(...)
  local list = {...}
  local i = 0
  local function one()
    i = i + 1
    if list[i] then
      conn:send(from(list[i]))
      tmr.create():alarm(20, tmr.ALARM_SINGLE, one)
    else
      finish()
    end
  end
  one()
end
m:connect("127.0.0.1", port, false, function(c)
  print("connect", c == m)
  print(c:subscribe("t", 0, function()
    print("suback")
    print(c:unsubscribe({t = 0}, function()
      print("unsuback")
      print(c:publish("t", "data", 0, 1, function()
        print("puback")
        c:on("puback", function() end)
        push(
          "3003000174", -- without data
          "3005", "0001744142", -- in two pieces
          "320700017400076869", -- to be acknowledged
          "340700017400086869", "62020008", -- once only
          "306000017a" .. ("41"):rep(93) .. "3004000162" .. "43") -- too long, and one behind it
      end))
    end))
  end))
end)
print(pcall(m.connect, m, "127.0.0.1", port))
--> false	already connected
--> connect	true
--> true
--> suback
--> true
--> unsuback
--> true
--> puback
--> message	t	nil
--> message	t	AB
--> message	t	hi
--> message	t	hi
--> overflow	z	59
--> message	b	C
--> offline	true
--> the broker heard
--> 102500044d51545404ec003c00026964000477696c6c0003627965000475736572000470617373
--> 8206000100017400
--> a2050002000174
--> 310700017464617461
--> 40020007
--> 50020008
--> 70020008
--> e000
