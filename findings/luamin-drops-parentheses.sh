#!/bin/sh
# npm luamin 1.0.4 (luaparse): a minifier for Lua. Parentheses around a call or "..." cut its results to one; luamin takes them away, so
# that all results come through. It also takes away the semicolon before a parenthesis, which makes one call of two statements.
# A hexadecimal number without a digit before its point, valid since Lua 5.2, is refused.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund luamin@1.0.4 >/dev/null
cat >run.js <<'EOF'
const { minify } = require("luamin");
for (const text of ["return (f())", "return {f(), (f())}", "return (...)", "f'a'; (g or h)()", "return (a..b)..c", "return - -a", "return 0x.8p1"]) {
  let found;
  try {
    found = minify(text);
  } catch (error) {
    found = `error: ${error.message}`;
  }
  console.log(`${text} => ${found}`);
}
EOF
node run.js >found
cat >expected <<'EOF'
return (f()) => return f()
return {f(), (f())} => return{f(),f()}
return (...) => return...
f'a'; (g or h)() => f'a'(g or h)()
return (a..b)..c => return(a..b)..c
return - -a => return- -a
return 0x.8p1 => error: [1:10] malformed number near '0x'
EOF
diff expected found
cat found
