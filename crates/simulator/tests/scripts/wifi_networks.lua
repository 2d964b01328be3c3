--! network home secret
wifi.eventmon.register(wifi.eventmon.STA_GOT_IP, function() print("joined", wifi.sta.getconfig()) end)
local wrong
wifi.eventmon.register(wifi.eventmon.STA_DISCONNECTED, function(t)
  print(t.SSID, t.reason, wifi.sta.status())
  wifi.sta.config {ssid = "home", pwd = wrong and "secret" or "wrong"}
  wrong = true
end)
wifi.sta.config {ssid = "away"}
--> away	201	3
--> home	202	2
--> joined	home	secret	0	02:00:00:00:00:01
