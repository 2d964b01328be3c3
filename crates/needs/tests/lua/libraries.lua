-- lua: 51
-- needed:
print(math.floor(1), math.sin(1)) --> name-absent
print(table.unpack({})) --> name-absent
print(unpack({}))
string.trim = string.gsub
print(string.trim("a"))
print(utf8.char(65)) --> global-undefined
