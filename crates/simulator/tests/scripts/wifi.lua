print(wifi.getmode() == wifi.STATION, wifi.setmode(wifi.STATION, false), wifi.sta.status(), wifi.sta.getip())
--> true	1	0	nil	nil	nil
wifi.eventmon.register(wifi.eventmon.STA_CONNECTED, function(t) print("connected", t.SSID, t.channel) end)
wifi.eventmon.register(wifi.eventmon.STA_GOT_IP, function(t)
  print("got ip", t.IP, wifi.sta.status() == wifi.STA_GOTIP, wifi.sta.getip())
  wifi.sta.disconnect()
  print(wifi.sta.status() == wifi.STA_IDLE, wifi.sta.getip())
end)
wifi.eventmon.register(wifi.eventmon.STA_DISCONNECTED, function(t)
  print("disconnected", t.SSID, t.reason == wifi.eventmon.reason.ASSOC_LEAVE)
end)
print(select(2, pcall(wifi.sta.config, {})))
--> bad argument #1 to 'config' (ssid required)
print(select(2, pcall(wifi.sta.config, "ssid")))
--> bad argument #1 to 'config' (config table not found!)
print(wifi.sta.config {ssid = "home", pwd = "secret", save = false}, wifi.sta.status() == wifi.STA_CONNECTING)
--> true	true
print(wifi.sta.getconfig())
--> home	secret	0	02:00:00:00:00:01
print(wifi.sta.getdefaultconfig(true).ssid == "", wifi.sta.sethostname("my-node"), wifi.sta.gethostname())
--> true	true	my-node
print(#wifi.sta.getmac(), select(2, pcall(wifi.sta.sethostname, "-")), select(2, pcall(wifi.sta.getap)))
--> 17	Invalid hostname	wifi.sta.getap is not simulated
--> connected	home	1
--> got ip	127.0.0.1	true	127.0.0.1	255.0.0.0	127.0.0.1
--> true	nil	nil	nil
--> disconnected	home	true
