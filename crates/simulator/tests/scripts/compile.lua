-- Compiling into the flash, and loading from there.
file.putcontents("m.lua", "local name = ...\nreturn {name = name, fail = function() error('here') end}")
node.compile("m.lua")
print(file.exists("m.lc"), file.getcontents("m.lc"):sub(1, 4) == "\27Lua")
--> true	true
file.remove("m.lua")
local m = require "m"
print(m.name, select(2, pcall(m.fail)), package.loaded.m == m)
--> m	m.lua:2: here	true
print(loadfile("m.lc")("x").name, loadfile("no.lua"))
--> x	nil	cannot open no.lua
file.putcontents("bad.lua", "#!shebang\nx x")
print(select(2, loadfile("bad.lua")):match("^bad.lua:2:") ~= nil)
--> true
print(select(2, pcall(node.compile, "bad.lua")):match("bad.lua:2:"))
--> bad.lua:2:
print(select(2, pcall(node.compile, "x.txt")))
--> not a .lua file
print(select(2, pcall(require, "nothing")):match("no file 'nothing.lc'\n%s*no file 'nothing.lua'") ~= nil)
--> true
print(select(2, pcall(require, "bad")):match("error loading module 'bad' from file 'bad.lua'"))
--> error loading module 'bad' from file 'bad.lua'
file.putcontents("four.lua", "return 4, ...")
print(dofile("four.lua"))
--> 4
print(select(2, pcall(dofile, "none.lua")))
--> cannot open none.lua
