#!/bin/sh
# PyPI luadata 1.0.5 reads and writes Lua data in Python.
# - It writes nil, inf and 1e+21, and refuses to read them, as it does 0x10 and 1e3.
# - A key that is a reserved word is written bare ({end=1}), which is no Lua; its own reader takes it.
# - The key True becomes the place 1. A tuple becomes two values without a table, of which the reader gives the first.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet luadata==1.0.5
cat >run.py <<'EOF'
import luadata

for value in [[1, None, 2], float("inf"), 1e21, {"end": 1}, {True: 1}, (1, 2)]:
    text = luadata.serialize(value)
    try:
        back = repr(luadata.unserialize(text))
    except Exception as error:
        back = f"refused: {str(error).splitlines()[0].rstrip(': ')}"
    print(f"{value!r} => {text} => {back}")
EOF
python/bin/python run.py >found
cat >expected <<'EOF'
[1, None, 2] => {1,nil,[3]=2} => refused: Unserialize luadata failed on pos 6
inf => inf => refused: Unserialize luadata failed on pos 3
1e+21 => 1e+21 => refused: Unserialize luadata failed on pos 1
{'end': 1} => {end=1} => {'end': 1}
{True: 1} => {1} => [1]
(1, 2) => 1,2 => 1
EOF
diff expected found
cat found
