//! NodeMCU's modules that are not simulated: whatever is asked of one raises an error that names it.

use mlua::{Lua, Table};

/// Those of the release branch (`NODEMCU_MODULE` in its `app/modules`). A name without a module here is nil, as on the chip.
const NAMES: &[&str] = &[
    "ads1115",
    "adxl345",
    "am2320",
    "apa102",
    "bloom",
    "bme280",
    "bme280_math",
    "bme680",
    "bmp085",
    "coap",
    "color_utils",
    "cron",
    "dcc",
    "dht",
    "enduser_setup",
    "gdbstub",
    "gpiopulse",
    "hdc1080",
    "hmc5883l",
    "hx711",
    "l3g4200d",
    "mcp4725",
    "mdns",
    "pcm",
    "perf",
    "pixbuf",
    "pwm2",
    "rfswitch",
    "rotary",
    "rtcfifo",
    "rtcmem",
    "si7021",
    "sigma_delta",
    "softuart",
    "somfy",
    "spi",
    "switec",
    "tcs34725",
    "tls",
    "tm1829",
    "tsl2561",
    "u8g2",
    "ucg",
    "websocket",
    "wiegand",
    "wps",
    "ws2801",
    "ws2812",
    "ws2812_effects",
    "xpt2046",
];

const MODULE: &str = "
local error, setmetatable, tostring = error, setmetatable, tostring
return function(name)
  local function absent(_, key)
    error(name .. '.' .. tostring(key) .. ' is not simulated: the simulator has no ' .. name, 2)
  end
  return setmetatable({}, {__index = absent, __newindex = absent})
end";

pub(crate) fn open(lua: &Lua) -> mlua::Result<()> {
    let module: mlua::Function = lua.load(MODULE).set_name("=absent").eval()?;
    for name in NAMES {
        lua.globals().raw_set(*name, module.call::<Table>(*name)?)?;
    }
    Ok(())
}
