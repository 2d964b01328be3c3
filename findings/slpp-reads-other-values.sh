#!/bin/sh
# PyPI SLPP 1.2.3 reads and writes Lua tables in Python. Valid Lua becomes other values, with nothing raised:
# - 1e3 is read as 3, 5. as 0 (it prints that the number is malformed, and goes on), .5 as the text ".5".
# - ";" is no separator: {1; 2} is a list of 2 alone.
# - Long strings of level 1 and above come apart.
# - Escapes stay as they are, but for quotes: "\n" is two characters.
# What it writes is not always Lua: a backslash is not escaped, and the key True becomes [True], a global variable that is nil.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet SLPP==1.2.3
cat >run.py <<'EOF'
import contextlib
import io

from slpp import slpp

for text in ["{1e3}", "{5.}", "{.5}", "{1; 2}", "{[==[a]]b]==]}", r'{"a\nb"}', "{0x10}", "{[1.5] = 1}"]:
    with contextlib.redirect_stdout(io.StringIO()):
        found = slpp.decode(text)
    print(text, "=>", repr(found))
for value in ["\\", {True: 1}]:
    print(repr(value), "=>", slpp.encode(value).replace("\n", "").replace("\t", ""))
EOF
python/bin/python run.py >found
cat >expected <<'EOF'
{1e3} => [3]
{5.} => [0]
{.5} => ['.5']
{1; 2} => [2]
{[==[a]]b]==]} => {'=': 'a', 'b': '=', 2: ']'}
{"a\nb"} => ['a\\nb']
{0x10} => [16]
{[1.5] = 1} => {1.5: 1}
'\\' => "\"
{True: 1} => {[True] = 1}
EOF
diff expected found
cat found
