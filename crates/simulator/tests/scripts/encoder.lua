print(encoder.toBase64("hello world"), encoder.toBase64("\0\255"), encoder.toBase64("") == "")
--> aGVsbG8gd29ybGQ=	AP8=	true
print(encoder.fromBase64("aGVsbG8gd29ybGQ="), encoder.toHex(encoder.fromBase64("AP8=")))
--> hello world	00ff
print(encoder.toHex("NodeMCU\0\1"), encoder.fromHex("4c7561"), encoder.fromHex("4C4F") == "LO")
--> 4e6f64654d43550001	Lua	true
for _, call in ipairs {
  function() encoder.fromBase64("abc") end,
  function() encoder.fromBase64("ab!=") end,
  function() encoder.fromHex("abc") end,
  function() encoder.fromHex("xx") end,
  function() encoder.toHex() end,
} do
  print(select(2, pcall(call)))
end
--> encoder.lua:8: Invalid base64 string
--> encoder.lua:9: Invalid base64 string
--> encoder.lua:10: Invalid hex string
--> encoder.lua:11: Invalid hex string
--> encoder.lua:12: bad argument #1 to 'toHex' (string expected, got no value)
