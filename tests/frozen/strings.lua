-- strings that are built at run time are those that are frozen
local t = {telnet = 1, __index = 2, ['end'] = 3, ['and'] = 4, string = 5, [''] = 6, ['a\0b'] = 7}
local function key(...) return table.concat({...}) end
print(t[key('tel', 'net')], t[key('__in', 'dex')], t[key('e', 'nd')], t[key('an', 'd')], t[key('str', 'ing')],
      t[key()], t[key('a\0', 'b')], key('x', 'y') == 'xy', 'xy' ~= key('x', 'z'))
local long = 'a string of more than forty bytes, which 5.3 does not intern'
local tl = {[long] = 'found'}
print(tl[key('a string of more than forty bytes, ', 'which 5.3 does not intern')], #long)
tl[key('another string that is longer than forty bytes, ', 'once more')] = 'there'
print(tl['another string that is longer than forty bytes, once more'])
print(('hello'):upper():rep(2):sub(2, -2), ('%d %s %q'):format(12, 'x', 'q"\n'), #'\0\255?"\\\127')
print(('key = value'):match('^(%w+)%s*=%s*(%w+)$'), ('a,b,c'):gsub(',', ';'), ('abc'):byte(1, -1))
for w in ('one two three'):gmatch '%a+' do print('<' .. w .. '>') end
print(string.find('a+b', '+', 1, true), ('x'):rep(0) == '', tostring(nil) == 'nil', type('') == key('str', 'ing'))
local seen = {}
for _, name in ipairs {'print', 'type', 'pairs', 'select', 'next'} do seen[_G[name]] = name end
print(seen[print], seen[type], seen[_G[key('sel', 'ect')]])
local r = {}
for k in pairs {and_ = 1, function_ = 2, while_ = 3} do r[#r + 1] = (k:gsub('_', '')) end
table.sort(r)
print(table.concat(r, ' '), r[1] == 'and', r[2] == 'function')
print(tonumber('10') + 1, '3' + 4, 10 .. '', tonumber('zz', 36), #tostring(12345))
