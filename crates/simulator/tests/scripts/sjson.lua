print(sjson.encode({1, 2, {}, "x", true, sjson.NULL}))
--> [1,2,[],"x",true,null]
print(sjson.encode({key = "a\"b\n\1"}))
--> {"key":"a\"b\n\u0001"}
print(sjson.encode({[3] = 3}), sjson.encode({[1.5] = false}):sub(1, 2))
--> [null,null,3]	[n
print(sjson.encode({n = "none", "x"}, {null = "none"}):find('"n":null', 1, true) ~= nil)
--> true
print(sjson.encode({function() return {7} end, function() return 8 end}))
--> [[7],8]
print(sjson.encode({1 / 0, -1 / 0, 0 / 0}))
--> [null,null,null]
print(select(2, pcall(sjson.encode, {coroutine.create(print)})))
--> Cannot encode type 8
-- The first piece makes all that is to be read.
local encoder = sjson.encoder({1, function() called = true return "abc" end})
print(encoder:read(2), called)
print(encoder:read(3), encoder:read(100), encoder:read(), called)
--> [1	true
--> ,"a	bc"]	nil	true
local deep = {}
deep[1] = deep
print(select(2, pcall(sjson.encode, deep)), select(2, pcall(sjson.encode, {{{{{}}}}}, {depth = 4})))
--> encoder stack overflow	encoder stack overflow

local t = sjson.decode('{"key":"value", "list": [1, -2.5, 3e2, true, false, null], "": {"\\u00e9": "\\t"}}')
print(t.key, #t.list, t.list[2], t.list[3] == 300, t.list[5], t.list[6] == sjson.NULL, t[""]["\195\169"] == "\t")
--> value	6	-2.5	true	false	true	true
print(sjson.decode('{"a":null}', {null = "nil"}).a, sjson.decode("[null,1]", {})[1])
--> nil	nil
local decoder = sjson.decoder()
print(decoder:write("[10, 1"), pcall(decoder.result, decoder))
--> nil	false	decode not complete
print(decoder:write("1"), decoder:write(", \"fo"))
--> nil	nil
local whole = decoder:write("o\"] and what follows")
print(whole[1], whole[2], whole[3], decoder:result() == whole)
--> 10	11	foo	true
-- A metatable sees every element, and checkpath every table with the keys that lead there.
local paths = {}
local got = sjson.decode('{"foo": [1, 2, []], "bar": [4], "cat": {"x": 5}}', {metatable = {
  checkpath = function(_, path)
    paths[#paths + 1] = table.concat(path, ".")
    return path[1] ~= "bar"
  end,
  __newindex = function(table, key, value)
    if key ~= "x" then rawset(table, key, value) end
  end,
}})
print(table.concat(paths, " "), #got.foo, got.bar, got.cat.x)
-->  foo foo.3 bar cat	3	nil	nil
-- What a callback does to its own decoder is an error and no more.
local again
again = sjson.decoder({metatable = {__newindex = function() again:write("1") end}})
print(pcall(again.write, again, "[1"), pcall(again.write, again, ","))
for _, text in ipairs {"[1,]", "{]", "[tru]", '["\\x"]', "1", ("["):rep(30), "[1"} do
  print(select(2, pcall(sjson.decode, text)))
end
local failed = sjson.decoder()
pcall(failed.write, failed, "}")
print(select(2, pcall(failed.write, failed, "[]")))
--> true	false	sjson.lua:54: JSON parse error: previous call
--> JSON parse error: BRACKET_MISMATCH
--> JSON parse error: BRACKET_MISMATCH
--> JSON parse error: SPECIAL_INCOMPLETE
--> JSON parse error: ESCAPE_INVALID
--> JSON parse error: SPECIAL_EXPECTED
--> JSON parse error: LEVELS_EXCEEDED
--> Incomplete JSON object passed to sjson.decode
--> JSON parse error: previous call
