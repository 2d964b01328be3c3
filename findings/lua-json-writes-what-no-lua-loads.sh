#!/bin/sh
# npm lua-json 1.0.1 turns JSON into "return ..." for Lua and back. What it writes is not always Lua, and what it reads is not always
# what Lua reads.
# - A key that is a reserved word is written bare: {"end": 1} becomes "end = 1".
# - A backslash and a line break in a string are not escaped.
# - Infinity is written as a global variable, and read back as the text "Infinity".
# - Escapes are kept as they stand when read: "\065" is four characters and not "A".
# - {10, [1] = 20}, a table of one value, becomes a list with a list in it; the 2 of {[0] = 1, 2} is lost.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund lua-json@1.0.1 >/dev/null
cat >run.js <<'EOF'
const { format, parse } = require("lua-json");
for (const value of [{ end: 1 }, "\\", "a\nb", Infinity]) console.log(JSON.stringify(format(value)));
for (const text of ["return Infinity", 'return "\\065"', "return {10, [1] = 20}", "return {[0] = 1, 2}"]) console.log(`${text} => ${JSON.stringify(parse(text))}`);
EOF
node run.js >found
cat >expected <<'EOF'
"return {\n  end = 1,\n}"
"return '\\'"
"return 'a\nb'"
"return Infinity"
return Infinity => "Infinity"
return "\065" => "\\065"
return {10, [1] = 20} => [10,[1,20]]
return {[0] = 1, 2} => {"0":1}
EOF
diff expected found
cat found
