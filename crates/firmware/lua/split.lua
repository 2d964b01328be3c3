-- fast.split('ftp.lua'): splits a source at its SPLIT markers and compiles each piece to
-- <chunk>.lc, one at a time. The old .lc files stay until all pieces compiled. Line numbers stay
-- those of the source. A source without markers becomes one chunk. Returns the chunks' names.
local source = ...
local src = source and file.open(source, 'r')
if not src then error("split: say fast.split('file.lua'); no file " .. tostring(source), 0) end
local temp, names, seen, line = '~split', {}, {}, 0
local module, chunk, out, begun

local function fail(fault)
  error(('split: %s:%d: %s'):format(source, line, fault), 0)
end

-- No file of somebody's is written over.
local function free(name)
  if file.exists(name) then fail(name .. ' is in the way') end
end

local function compile()
  if not chunk then return end
  out:close()
  out = nil
  collectgarbage()
  if tmr and tmr.wdclr then tmr.wdclr() end
  local ok, fault = pcall(node.compile, temp .. '.lua')
  if not ok then fail('chunk ' .. chunk .. ': ' .. fault) end
  local to = '~' .. #names + 1 .. '.lc'
  free(to)
  names[#names + 1] = chunk
  if not file.rename(temp .. '.lc', to) then fail('cannot write ' .. to) end
  chunk = nil
end

-- A piece begins on the next line: empty lines before it keep the numbers right.
local function begin(name)
  compile()
  if name == '' then return end
  if not name:find('^[%w_-]+$') or #name > 28 then fail('bad chunk name ' .. name) end
  if seen[name] then fail('chunk ' .. name .. ' is there twice') end
  chunk, seen[name] = name, true
  out = file.open(temp .. '.lua', 'w')
  if not out then fail('flash is full') end
  if not module then return end
  local ok = out:write('local SPIFFS_' .. module .. '=true ')
  -- not all at once: there may be more lines than a string has bytes
  for from = 1, line, 256 do
    ok = ok and out:write(('\n'):rep(line - from < 256 and line - from + 1 or 256))
  end
  if not ok then fail('flash is full') end
end

local function take(text)
  local word, name = text:match('%-%-%[%[SPLIT (%u+) ?([^%]]*)%]%]%s*$')
  if word == 'MODULE' then
    if module or #names > 0 then fail('a second SPLIT MODULE') end
    if out then out:close() end
    module, chunk, seen = name, nil, {}
    begin(name)
  elseif word == 'HERE' then
    if not module then fail('SPLIT HERE before SPLIT MODULE') end
    begin(name)
  elseif word and word ~= 'IGNORE' then
    fail('unknown SPLIT ' .. word)
  elseif chunk and not out:write(word and '\n' or text) then
    fail('flash is full')
  end
end

local function run()
  free(temp .. '.lua')
  free(temp .. '.lc')
  begun = true
  begin((source:gsub('%.lua$', ''))) -- unless a marker says otherwise
  local whole, text = true, src:readline()
  while text do
    if whole then line = line + 1 end
    take(text)
    whole = text:sub(-1) == '\n' -- a long line comes in parts
    text = src:readline()
  end
  compile()
end

local ok, fault = pcall(run)
src:close()
if out then out:close() end
for _, left in ipairs{temp .. '.lua', temp .. '.lc'} do
  if begun and file.exists(left) then file.remove(left) end
end
for i, name in ipairs(names) do
  local from, to = '~' .. i .. '.lc', name .. '.lc'
  if ok then
    if file.exists(to) then file.remove(to) end
    file.rename(from, to)
    print('split: ' .. to)
  else
    file.remove(from)
  end
end
if not ok then error(fault, 0) end
return names
