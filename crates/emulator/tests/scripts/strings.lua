print(string.format('%d|%5d|%-5d|%05d|%x|%X|%o|%c', 42, 42, 42, 42, 255, 255, 8, 65))
print(string.format('%s|%10s|%-10s|%.2s|%q|%%', 'abc', 'abc', 'abc', 'abc', 'a"b\n\\'))
if 1 / 2 ~= 0 then -- in a string: an integer core refuses such literals
  (loadstring or load) [[
    print(string.format('%f|%.3f|%e|%g|%10.2f|%g', 1.5, 2 / 3, 12345.678, 1e20, 3.14159, 0.0001))
  ]]()
end
print(('hello world'):find 'o w', ('key = value'):match '^(%w+)%s*=%s*(%w+)$')
print(('abc'):rep(3), ('abc'):reverse(), ('MiXed'):lower(), ('MiXed'):upper(), #'a\0b')
print((('one two three'):gsub('%w+', function(w) return w:sub(1, 1):upper() .. w:sub(2) end)))
for k, v in ('a=1, b=2, c=3'):gmatch '(%w+)=(%w+)' do io.write(k, v, ';') end
print(table.concat({1, 2, 3}, ', '), ('x'):byte(), string.char(72, 105))
print(pcall(error, 'message')) print(select('#', pcall(error)))
print(pcall(function() local t = nil; return t.x end))
print(pcall(function() return 'a' + 1 end))
