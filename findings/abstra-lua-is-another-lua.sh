#!/bin/sh
# PyPI abstra-lua 0.0.1, a Lua 5.5 in Python. PyPI lupa 2.8 has the real Lua 5.5. Its documentation lists the operators and string.match
# among what is supported.
# - Integers have no 64 bits: they do not wrap, and -1 >> 1 stays -1.
# - goto is read and not followed, and a variable with the attribute <close> is not closed.
# - Patterns have no %b and no "()": the first finds nothing, the second gives an empty text and not a place.
# - A string's length is in characters, not in bytes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet abstra-lua==0.0.1 lupa==2.8
cat >run.py <<'EOF'
from abstra_lua import LuaSession
from lupa.lua55 import LuaRuntime

close = "local closed = false do local v <close> = setmetatable({}, {__close = function() closed = true end}) end print(closed)"
for text in [
    "print(math.maxinteger + 1)",
    "print(0xffffffffffffffff)",
    "print(1 << 64)",
    "print(-1 >> 1)",
    "goto done print(1) ::done:: print(2)",
    close,
    "print(('f(a(b)c)'):match('%b()'))",
    "print(('abc'):match('()b'))",
    r"print(#'\u{20AC}')",
]:
    expected = []
    lua = LuaRuntime()
    lua.globals().print = lambda value: expected.append(str(value).lower() if isinstance(value, bool) else str(value))
    lua.execute(text)
    found = LuaSession().execute(text).splitlines()
    print(f"{text}: {' '.join(found)!r}, Lua {' '.join(expected)!r}")
EOF
python/bin/python run.py >found
cat >expected <<'EOF'
print(math.maxinteger + 1): '9223372036854775808', Lua '-9223372036854775808'
print(0xffffffffffffffff): '18446744073709551615', Lua '-1'
print(1 << 64): '18446744073709551616', Lua '0'
print(-1 >> 1): '-1', Lua '9223372036854775807'
goto done print(1) ::done:: print(2): '1 2', Lua '2'
local closed = false do local v <close> = setmetatable({}, {__close = function() closed = true end}) end print(closed): 'false', Lua 'true'
print(('f(a(b)c)'):match('%b()')): '', Lua '(a(b)c)'
print(('abc'):match('()b')): '', Lua '2'
print(#'\u{20AC}'): '1', Lua '3'
EOF
diff expected found
cat found
