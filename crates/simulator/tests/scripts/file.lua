-- Opening, reading, writing and seeking.
local f = file.open("a.txt", "w")
print(f:write("one\ntwo\n"), f:writeline("three"), f:read())
f:close()
--> true	true	nil
f = file.open("a.txt")
print(f:readline(), f:read("w"), f:read(2), f:write("x"))
--> one
--> 	tw	o
--> 	nil
print(f:seek("set", 4), f:read(3), f:seek("end", -6), f:read(), f:read(), f:seek("set", 99))
--> 4	two	8	three
--> 	nil	nil
f:close()
f = file.open("a.txt", "a+")
f:write("four")
f:seek("set", 0)
print(f:readline())
--> one
--> 
f:close()
f = file.open("a.txt", "r+")
f:write("ONE")
f:close()
print(file.getcontents("a.txt"))
--> ONE
--> two
--> three
--> four
print(#file.getcontents("a.txt"), file.stat("a.txt").size, file.stat("a.txt").time.year, file.stat("no"))
--> 18	18	1970	nil
print(file.open("no"), file.exists("no"), file.getcontents("no"), file.putcontents("b.lua", "x"))
--> nil	false	nil	true
-- the old interface: the file opened last
print(file.open("a.txt") ~= nil, file.readline(), file.seek("set", 0), file.read(3), file.close())
--> true	ONE
--> 	0	ONE
print(pcall(file.read))
--> false	open a file first
for _, pattern in ipairs {"^a", "%.lua$", "."} do
  local names = {}
  for name, size in pairs(file.list(pattern)) do names[#names + 1] = name .. "=" .. size end
  table.sort(names)
  print(table.concat(names, " "))
end
--> a.txt=18
--> b.lua=1
--> a.txt=18 b.lua=1
print(file.rename("a.txt", "b.lua"), file.rename("no", "c"), file.rename("a.txt", "c"), file.exists("c"))
--> false	false	true	true
file.remove("c")
file.remove("c")
print(file.exists("c"), file.getcontents("/FLASH/b.lua"), file.fsinfo())
--> false	x	3145727	1	3145728
print(pcall(file.list, "["))
--> false	malformed pattern (missing ']')
