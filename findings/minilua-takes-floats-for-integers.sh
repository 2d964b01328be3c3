#!/bin/sh
# PyPI minilua 1.1.0, a minifier for "Lua 5.1-5.4". PyPI lupa 2.8 has the real Lua 5.4, which runs each text before and after.
# - It takes ".0" off numbers. From Lua 5.3 on 3.0 is a float and 3 an integer, so that texts, types and the results of // change:
#   1//0.0 is infinite, and becomes 1//0, which is an error. -0.0 loses its sign.
# - 1e400, which is infinite, becomes "inf", a global variable.
# - "\0001", a zero byte and the digit 1, becomes "\01", which is one byte.
# - \z in a string, valid since Lua 5.2, is refused where a line ends after it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet minilua==1.1.0 lupa==2.8
cat >run.py <<'EOF'
from lua_minifier.core import Minifier, MinifyOptions
from lupa.lua54 import LuaError, LuaRuntime


def run(text):
    try:
        return repr(LuaRuntime().execute(text))
    except LuaError as error:
        return str(error).splitlines()[0].split(": ")[-1]


for text in ["return 3.0 .. ''", "return 5.0 // 2", "return 1 // 0.0", "return 1 / -0.0", "return 1e400", r"return '\0001'", "return '\\z\n  a'"]:
    try:
        after = Minifier(MinifyOptions()).minify(text).output.strip()
    except Exception as error:
        print(f"{text!r} => {type(error).__name__}: {error}: {run(text)}")
    else:
        print(f"{text!r} => {after!r}: {run(text)} => {run(after)}")
EOF
python/bin/python run.py >found
cat >expected <<'EOF'
"return 3.0 .. ''" => "return 3 ..''": '3.0' => '3'
'return 5.0 // 2' => 'return 5//2': 2.0 => 2
'return 1 // 0.0' => 'return 1//0': inf => attempt to divide by zero
'return 1 / -0.0' => 'return 1/-0': -inf => inf
'return 1e400' => 'return inf': inf => None
"return '\\0001'" => "return'\\01'": '\x001' => '\x01'
"return '\\z\n  a'" => MinifyError: [Lexer] Line 1, Col 11: Unfinished string: 'a'
EOF
diff expected found
cat found
