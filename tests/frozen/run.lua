-- runs each chunk that is named in `host.chunks` as `host.form` says, from source or frozen
for _, name in ipairs(host.chunks) do
  print('== ' .. name)
  local chunk
  if host.form == 'source' then
    chunk = assert(loadfile(name .. '.lua'))
  else
    chunk = assert(fast.load(name))
  end
  if host.stress then
    local hook = function() collectgarbage() end
    debug.sethook(hook, '', 211)
  end
  local status = {pcall(chunk, 'an argument')}
  debug.sethook()
  print((unpack or table.unpack)(status))
end
if host.form == 'source' then return end

-- loaded and dropped: the heap is the same after 1,000 times as after ten; a frozen chunk is there
-- without any, one with shadows takes none a second time
-- 5.3 gives back half of its unused call records in each collection
local function settled()
  for _ = 1, 8 do collectgarbage() end
  return host.heap()
end
local report = {}

local function needs(wanted)
  for name, _, _, heap in fast.list() do
    if name == wanted then return heap end
  end
end
for name, _, form, heap in fast.list() do
  assert(form == 'frozen', name)
  local before = settled()
  local chunk = assert(fast.load(name))
  local first = settled() - before
  chunk = nil
  local dropped = settled() - before
  before = settled()
  chunk = assert(fast.load(name))
  local again = settled() - before
  chunk = nil
  assert(first <= heap, name .. ' takes ' .. first .. ', said to be ' .. heap)
  assert(again <= needs(name) and needs(name) <= 96, name .. ' needs ' .. needs(name) .. ' once more')
  for i = 1, 10 do assert(fast.load(name)) end
  settled()
  local ten = settled()
  for i = 1, 1000 do assert(fast.load(name)) end
  local drift = settled() - ten
  assert(drift <= 0, name .. ' drifts by ' .. drift)
  report[#report + 1] = name .. ' ' .. first .. ' ' .. dropped .. ' ' .. again
end
host.note(fast.info().frozen .. ': ' .. table.concat(report, ', '))
