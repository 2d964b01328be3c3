#!/bin/sh
# npm @prettier/plugin-lua 0.0.3 with prettier 3.10.1: a formatter whose output is another program.
# - "- -a" and "-(-1)" become "--a" and "--1", which are comments: the function returns nothing.
# - "(-2)^2", which is 4, becomes "-2 ^ 2", which is -4.
# - The semicolon before a line that begins with a parenthesis goes, so that two statements become one call.
# Binary minus inside parentheses, and powers of powers, keep theirs.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund prettier@3.10.1 @prettier/plugin-lua@0.0.3 >/dev/null
cat >run.mjs <<'EOF'
import { format } from "prettier";
import * as plugin from "@prettier/plugin-lua";
for (const text of ["return - -a", "return -(-1)", "return (-2)^2", "return (2^3)^2", "return a-(b-c)", "f'a'; (g or h)()"]) {
  const found = await format(text, { parser: "lua", plugins: [plugin.default ?? plugin] });
  console.log(`${text} => ${JSON.stringify(found)}`);
}
EOF
node run.mjs >found
cat >expected <<'EOF'
return - -a => "return --a\n"
return -(-1) => "return --1\n"
return (-2)^2 => "return -2 ^ 2\n"
return (2^3)^2 => "return (2 ^ 3) ^ 2\n"
return a-(b-c) => "return a - (b - c)\n"
f'a'; (g or h)() => "f\"a\"\n(g or h)()\n"
EOF
diff expected found
cat found
