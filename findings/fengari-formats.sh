#!/bin/sh
# npm fengari 0.1.5, a Lua 5.3 in JavaScript. Lua's manual says that string.format follows C's printf.
# - The flags ' ' and '#' raise an error, whose message is the number that was to be formatted: string.format("[% d]", 5) fails with
#   "5" (C: "[ 5]"), "[%#x]" of 255 with "255" (C: "[0xff]").
# - %e has an exponent of one digit and no default precision, %g and tostring have no exponent below 1e+21:
#   "%e" of 12345.678 is 1.2345678e+4 (C: 1.234568e+04), tostring(1e15) is 1000000000000000.0 (Lua: 1e+15).
# - Infinity, NaN and -0.0 are named as in JavaScript, or lose their sign.
# - A string that looks like an integer becomes a float in arithmetic: "10" + 1 is 11.0 (Lua 5.3: 11).
# - os.date "!%Y" keeps the exclamation mark, which only asks for UTC.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund fengari@0.1.5 >/dev/null
cat >run.js <<'EOF'
const { lauxlib, lualib, lua, to_luastring, to_jsstring } = require("fengari");
const L = lauxlib.luaL_newstate();
lualib.luaL_openlibs(L);
for (const text of [
  "pcall(string.format, '[% d]', 5)",
  "pcall(string.format, '[%#x]', 255)",
  "pcall(string.format, '[%5d]', 5)",
  "string.format('%e', 12345.678)",
  "string.format('%.3g', 12345.678)",
  "1e15",
  "7 // 0.0",
  "-0.0",
  "'10' + 1",
  "os.date('!%Y-%m-%d', 0)",
]) {
  lua.lua_settop(L, 0);
  if (lauxlib.luaL_dostring(L, to_luastring(`return ${text}`))) throw new Error(to_jsstring(lua.lua_tostring(L, -1)));
  const values = [];
  for (let i = 1, n = lua.lua_gettop(L); i <= n; i++) values.push(to_jsstring(lauxlib.luaL_tolstring(L, i)));
  console.log("%s", `${text} = ${values.join(", ")}`);
}
EOF
node run.js >found
cat >expected <<'EOF'
pcall(string.format, '[% d]', 5) = false, 5
pcall(string.format, '[%#x]', 255) = false, 255
pcall(string.format, '[%5d]', 5) = true, [    5]
string.format('%e', 12345.678) = 1.2345678e+4
string.format('%.3g', 12345.678) = 12300
1e15 = 1000000000000000.0
7 // 0.0 = Infinity
-0.0 = 0.0
'10' + 1 = 11.0
os.date('!%Y-%m-%d', 0) = !1970-01-01
EOF
diff expected found
cat found
