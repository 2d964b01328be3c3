#!/bin/sh
# PyPI tumfl 0.3.18, a minifier and formatter for Lua, writes programs with other values. PyPI lupa 2.8 has the real Lua 5.4, which runs
# each text before and after.
# - A hexadecimal number without a digit before its point gets a 1 there: 0x.8p1 is 1.0, and becomes 0x1.8p1, which is 3.0.
# - "\u{48}" keeps its closing brace: "H}". "\u{20AC}" becomes "\x20ac}", and Lua takes two digits after \x.
# - The line break right after [[ stays in the string. Lua's manual says that it is not included.
# - Minifying computes with Python's numbers: integers do not wrap at 64 bits, -1 >> 1 stays -1, and // of a float gives an integer.
#   1e308*10 and -1e400, which are infinite, become 0.
# - A local variable named _ENV goes away when its only use is that it holds the globals.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet tumfl==0.3.18 lupa==2.8
cat >run.py <<'EOF'
import tumfl
from lupa.lua54 import LuaRuntime
from tumfl.formatter import MinifiedStyle


def run(text):
    value = LuaRuntime().execute(text)
    return repr(value)


def show(kind, text, after):
    after = after.split("tumfl\n", 1)[1].strip()
    print(f"{kind}: {text!r} => {after!r}: {run(text)} => {run(after)}")


for text in ["return 0x.8p1", r"return '\u{48}'", r"return '\u{20AC}'", "return [[\nab]]"]:
    show("format", text, tumfl.format(tumfl.parse(text)))
for text in [
    "return 9223372036854775807 + 1",
    "return 1 << 64",
    "return -1 >> 1",
    "return 5.0 // 2",
    "return 1e308 * 10",
    "return -1e400",
    "local _ENV = {x = 5} return x",
]:
    tree = tumfl.parse(text)
    tumfl.minify(tree)
    show("minify", text, tumfl.format(tree, MinifiedStyle))
EOF
python/bin/python run.py >found
cat >expected <<'EOF'
format: 'return 0x.8p1' => 'return 0x1.8p1': 1.0 => 3.0
format: "return '\\u{48}'" => 'return "H}"': 'H' => 'H}'
format: "return '\\u{20AC}'" => 'return "\\x20ac}"': '€' => ' ac}'
format: 'return [[\nab]]' => 'return "\\nab"': 'ab' => '\nab'
minify: 'return 9223372036854775807 + 1' => 'return 9223372036854775808': -9223372036854775808 => 9.223372036854776e+18
minify: 'return 1 << 64' => 'return 18446744073709551616': 0 => 1.8446744073709552e+19
minify: 'return -1 >> 1' => 'return-1': 9223372036854775807 => -1
minify: 'return 5.0 // 2' => 'return 2': 2.0 => 2
minify: 'return 1e308 * 10' => 'return 0': inf => 0
minify: 'return -1e400' => 'return-0': -inf => 0
minify: 'local _ENV = {x = 5} return x' => 'return x': 5 => None
EOF
diff expected found
cat found
