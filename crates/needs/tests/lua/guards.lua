-- needed: net wifi
-- optional: bit sjson cjson pwm adc rtctime encoder crypto struct ow mdns
-- without: bit sjson pwm adc rtctime encoder crypto struct ow mdns net
if bit then print(bit.band(1, 2)) end
local x = bit and bit.bor(1, 2)
local json = sjson or cjson
print(json.encode({}))
local ok, found = pcall(require, "sjson")
if ok then print(found.decode("{}")) end
local has_pwm = pwm ~= nil
local function blink() if has_pwm then pwm.setup(1, 2, 3) end end
if not adc then return end
print(adc.read(0))
if type(rtctime) == "table" then rtctime.get() end
if type(encoder) ~= "nil" then encoder.toHex("a") end
pcall(function() crypto.sha1("a") end)
assert(struct).pack("b", 1)
local wire = rawget(_G, "ow")
if wire then wire.setup(1) end
while mdns do mdns.close() end
net.createServer(net.TCP) --> module-disabled
if wifi.sta.sethostname then wifi.sta.sethostname("a") end
if wifi.sta.setname then wifi.sta.setname("a") end
wifi.sta.setname("a") --> name-absent
