#!/bin/sh
# npm lua-in-js 2.2.5, a Lua in JavaScript, whose _VERSION is "Lua 5.3". PyPI lupa 2.8 has the real Lua 5.3.
# - Bitwise operators have JavaScript's 32 bits: 1<<32 is 1, 2147483648|0 is negative, and >> keeps the sign.
# - math.maxinteger is 2^53-1, and 9007199254740993 reads as 9007199254740992.
# - The byte "\200" is 63432, a private character of the parser.
# - string.gsub does not give the number of replacements, and string.byte gives nothing for an end of -1, the last byte.
# - Patterns have no %b, %f and "()". The fourth argument of string.find must be a number; Lua's manual has true there.
# None of these is in its list of missing functionality.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet lupa==2.8
npm install --silent --no-audit --no-fund lua-in-js@2.2.5 >/dev/null
cat >texts <<'EOF'
_VERSION
1 << 32
2147483648 | 0
-1 >> 1
math.maxinteger
9007199254740993
string.byte('\200')
string.byte('abc', 1, 3)
string.byte('abc', 1, -1)
string.gsub('hello', 'l', 'L')
string.match('f(a(b)c)', '%b()')
string.find('THE fox', '%f[%a]%a+', 3)
string.match('abc', '()b')
string.find('a.b', '.', 1, true)
EOF
cat >run.js <<'EOF'
const { readFileSync, writeFileSync } = require("fs");
const { createEnv } = require("lua-in-js");
const found = readFileSync("texts", "utf8").trim().split("\n").map((text) => {
  let said = "";
  try {
    createEnv({ stdout: (line) => { said += line; } }).parse(`print(${text})`).exec();
  } catch (error) {
    said = `error: ${error.message}`;
  }
  return [text, said.replace(/\s+/g, " ").trim()];
});
writeFileSync("said", JSON.stringify(found));
EOF
node run.js
cat >run.py <<'EOF'
import json

from lupa.lua53 import LuaRuntime

join = LuaRuntime().execute("return function(text) local t = table.pack(load('return ' .. text)()) for i = 1, t.n do t[i] = tostring(t[i]) end return table.concat(t, ' ') end")
with open("said") as file:
    for text, said in json.load(file):
        print(f"{text}: {said!r}, Lua {' '.join(join(text).split())!r}")
EOF
python/bin/python run.py >found
cat >expected <<'EOF'
_VERSION: 'Lua 5.3', Lua 'Lua 5.3'
1 << 32: '1', Lua '4294967296'
2147483648 | 0: '-2147483648', Lua '2147483648'
-1 >> 1: '-1', Lua '9223372036854775807'
math.maxinteger: '9007199254740991', Lua '9223372036854775807'
9007199254740993: '9007199254740992', Lua '9007199254740993'
string.byte('\200'): '63432', Lua '200'
string.byte('abc', 1, 3): '97 98 99', Lua '97 98 99'
string.byte('abc', 1, -1): '', Lua '97 98 99'
string.gsub('hello', 'l', 'L'): 'heLLo', Lua 'heLLo 2'
string.match('f(a(b)c)', '%b()'): 'nil', Lua '(a(b)c)'
string.find('THE fox', '%f[%a]%a+', 3): 'nil', Lua '5 7'
string.match('abc', '()b'): 'b', Lua '2'
string.find('a.b', '.', 1, true): "error: bad argument #4 to 'find' (number expected, got boolean)", Lua '2 2'
EOF
diff expected found
cat found
