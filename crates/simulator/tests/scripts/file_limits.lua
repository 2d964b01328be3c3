-- Names, open files and the size of the flash.
if node.egc then node.egc.setmode(node.egc.ON_ALLOC_FAILURE) end -- strings of more than 4,095 bytes
local longest = ("n"):rep(31)
print(file.putcontents(longest, "x"), file.exists(longest))
--> true	true
print(select(2, pcall(file.open, longest .. "n")))
--> bad argument #1 to 'open' (filename invalid)
print(select(2, pcall(file.exists, "a\0b")))
--> bad argument #1 to 'exists' (filename invalid)
print(file.putcontents("dir/" .. longest, "x"), file.putcontents("", "x"), file.putcontents("/x", "x"))
--> nil	nil	nil
-- a flat file system: these are plain names, and none leads out
for _, name in ipairs {"../up", "..", ".", "a/b", "50%", "100%25"} do
  assert(file.putcontents(name, name))
  assert(file.getcontents(name) == name)
end
local names = {}
for name in pairs(file.list("[./%%]")) do names[#names + 1] = name end
table.sort(names)
print(table.concat(names, " "))
--> . .. ../up 100%25 50% a/b
local open = {}
for i = 1, 5 do open[i] = file.open("f" .. i, "w") end
print(#open, file.exists("f5"))
--> 4	false
open[1]:close()
print(file.open("f5", "w") ~= nil)
--> true
open[2]:write(("x"):rep(1024 * 1024))
print(open[2]:write(("x"):rep(1024 * 1024 * 2)), open[2]:write("y"))
--> nil	true
print(pcall(file.format) == false, file.exists("50%"))
--> true	true
