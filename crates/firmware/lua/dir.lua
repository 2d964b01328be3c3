-- fast.dir([pattern]): the files in flash with their sizes, sorted by name.
-- The pattern is a Lua pattern, such as '%.lua$'.
local pattern = ...
local sizes, names = file.list(), {}
if not sizes then error('dir: there is no file system; file.format() makes one', 0) end
for name in pairs(sizes) do
  if not pattern or name:find(pattern) then names[#names + 1] = name end
end
table.sort(names)
for _, name in ipairs(names) do
  print(('%8d  %s'):format(sizes[name], name))
end
local free, used = file.fsinfo()
print(('%8d  bytes used, %d free'):format(used, free))
