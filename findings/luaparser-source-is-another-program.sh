#!/bin/sh
# PyPI luaparser 4.2.0: ast.to_lua_source(ast.parse(text)) is not always the same program.
# - "- -a" becomes "--a", a comment.
# - 1e400, which is infinite, becomes "inf", a global variable.
# - A long string keeps its text and loses the level of its brackets, so a text with "]]" no longer parses, not even by luaparser.
# - The attributes <const> and <close> of Lua 5.4 vanish: a variable is not closed any more.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet luaparser==4.2.0
cat >run.py <<'EOF'
from luaparser import ast

for text in ["return - -a", "return 1e400", "return [==[a]]b]==]", "local f <close> = io.open(name)", "return a-(b-c)", "return (f())"]:
    print(text, "=>", ast.to_lua_source(ast.parse(text)))
EOF
python/bin/python run.py >found
cat >expected <<'EOF'
return - -a => return --a
return 1e400 => return inf
return [==[a]]b]==] => return [[a]]b]]
local f <close> = io.open(name) => local f = io.open(name)
return a-(b-c) => return a - (b - c)
return (f()) => return (f())
EOF
diff expected found
cat found
