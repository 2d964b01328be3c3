-- What a firmware's Lua has and has not.
print(io, os, package.loadlib, type(debug.traceback), wifi.start, nosuch)
--> nil	nil	nil	function	nil	nil
print("%d of %s" % {1, "two"}, "%5.1f" % 2)
--> 1 of two	  2.0
print(type(unpack), type(loadstring), loadstring("return 1 + 1")())
--> function	function	2
print(select(2, pcall(error, {1}))[1], select(2, pcall(error)))
--> 1	nil
print(debug.traceback("text", 1):match("^text\nstack traceback:\n.*base.lua:10") ~= nil)
--> true
print(debug.getinfo(1).short_src, debug.getinfo(1).currentline, debug.getinfo(print).what)
--> base.lua	12	Lua
local thread = coroutine.wrap(function(a) return coroutine.yield(a + 1) end)
print(thread(1), thread("end"))
--> 2	end
print(setmetatable({}, {__tostring = function() return "shown" end}), nil, true)
--> shown	nil	true
