-- lua: 53
-- needed:
print(math.floor(1), math.sin(1))
print(table.unpack({}))
print(table.foreach({}, print)) --> name-absent
print(utf8.char(65))
setfenv(1, {}) --> global-undefined
