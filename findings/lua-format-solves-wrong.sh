#!/bin/sh
# npm lua-format 1.5.2 (luamin.js), "Lua 5.1 - 5.4", with SolveMath, which its own example sets, computes constants when it minifies.
# PyPI lupa 2.8 has the real Lua 5.4, which runs each text before and after.
# - % has JavaScript's sign: -5%3 is -2 (Lua: 1), 7%-3 is 1 (Lua: -2).
# - 1e308*10, which is infinite, becomes 10.
# - Texts are not compared: "a"<"b" is false. Numbers are compared as they are written: 1==1.0 is false.
# - #"\n" is 2, the length before the escape is read.
# - 10/2 is written as 5, which is an integer from Lua 5.3 on (Lua: 5.0).
# It refuses three things that are valid: & and | of Lua 5.3, an exponent of a hexadecimal number, and no digit before its point.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet lupa==2.8
npm install --silent --no-audit --no-fund lua-format@1.5.2 >/dev/null
cat >run.js <<'EOF'
console.log = () => {}; // Of what it refuses it prints tokens.
const { writeFileSync } = require("fs");
const { Minify } = require("lua-format");
const texts = ["-5%3", "7%-3", "1e308*10", "'a'<'b'", "1==1.0", "#'\\n'", "10/2", "1&3", "0x10p2", "0x.8p1"];
const found = texts.map((text) => {
  try {
    return [text, Minify(`return ${text}`, { RenameVariables: true, RenameGlobals: false, SolveMath: true }).replace(/--\[\[[^]*?\]\]/, "").trim()];
  } catch (error) {
    return [text, null];
  }
});
writeFileSync("minified", JSON.stringify(found));
EOF
node run.js
cat >run.py <<'EOF'
import json

from lupa.lua54 import LuaRuntime

run = LuaRuntime().eval("function(text) return tostring(load(text)()) end")
with open("minified") as file:
    for text, after in json.load(file):
        if after is None:
            print(f"{text} => refused: {run('return ' + text)}")
        else:
            print(f"{text} => {after}: {run('return ' + text)} => {run(after)}")
EOF
python/bin/python run.py >found
cat >expected <<'EOF'
-5%3 => return-2: 1 => -2
7%-3 => return 1: -2 => 1
1e308*10 => return 10: inf => 10
'a'<'b' => return false: true => false
1==1.0 => return false: true => false
#'\n' => return 2: 1 => 2
10/2 => return 5: 5.0 => 5
1&3 => refused: 1
0x10p2 => refused: 64.0
0x.8p1 => refused: 1.0
EOF
diff expected found
cat found
