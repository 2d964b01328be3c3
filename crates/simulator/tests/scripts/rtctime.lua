print(rtctime.get())
--> 0	0	0
rtctime.set(1436430589, 5, 100)
local seconds, micros, rate = rtctime.get()
print(seconds == 1436430589, micros >= 5, rate, rtctime.adjust_delta(1000000))
--> true	true	100	1000000
for _, stamp in ipairs {0, 951782400, 1436430589, 1709164799, 1735689600, 4102444799} do
  local t = rtctime.epoch2cal(stamp)
  print(("%04d-%02d-%02d %02d:%02d:%02d %d %d"):format(t.year, t.mon, t.day, t.hour, t.min, t.sec, t.yday, t.wday))
end
--> 1970-01-01 00:00:00 1 5
--> 2000-02-29 00:00:00 60 3
--> 2015-07-09 08:29:49 190 5
--> 2024-02-28 23:59:59 59 4
--> 2025-01-01 00:00:00 1 4
--> 2099-12-31 23:59:59 365 5
print(select(2, pcall(rtctime.epoch2cal, -1)))
--> bad argument #1 to 'epoch2cal' (wrong arg range)
