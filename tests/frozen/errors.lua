-- messages name the file and the line, tracebacks the functions
local function fail(what)
  local nothing
  if what == 'index' then return nothing.field
  elseif what == 'global' then return undefined_global.x
  elseif what == 'field' then return string.nofunction()
  elseif what == 'call' then nothing()
  elseif what == 'arith' then return {} + 1
  elseif what == 'concat' then return 'a' .. {}
  elseif what == 'compare' then return {} < 1
  elseif what == 'method' then return ('x'):nomethod()
  elseif what == 'level' then error('at the caller', 2)
  elseif what == 'table' then error({code = 7})
  elseif what == 'argument' then return ('x'):rep({})
  end
  error('unknown ' .. what)
end
for _, what in ipairs {'index', 'global', 'field', 'call', 'arith', 'concat', 'compare', 'method', 'level', 'argument', 'else'} do
  print(pcall(fail, what))
end
print(select(2, pcall(fail, 'table')).code)
local function outer() local x = fail('index') return x end
local text
print(xpcall(outer, function(m) text = debug.traceback(m, 1) return 'handled' end))
for line in text:gmatch '[^\n]+' do
  if line:find 'errors%.lua' then print(line) end
end
local info = debug.getinfo(fail, 'nSlu')
print(info.short_src, info.linedefined, info.lastlinedefined, info.what, info.source, info.nups)
print(debug.getinfo(1, 'l').currentline, debug.getinfo(1, 'S').what)
local lines = {}
for l in pairs(debug.getinfo(outer, 'L').activelines) do lines[#lines + 1] = l end
print(#lines > 0, lines[1] >= info.lastlinedefined)
debug.sethook()  -- no stress in a stack that is full
local function overflow() return 1 + overflow() end
local ok, message = pcall(overflow)
print(ok, message:match 'stack overflow')
print(pcall(error), pcall(error, nil), pcall(error, 'plain', 0))
