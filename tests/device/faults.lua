-- What a chip meets: heap that ends, flash that is damaged, collections at the worst moment.
-- Runs in stock Lua of each number model, with the functions of device.c.

local names, kinds = {}, {bytecode = 0, source = 0, deflated = 0, packed = 0, data = 0}
for name, size, kind in fast.list() do
  assert(size > 0)
  kinds[name] = kind
  kinds[kind] = kinds[kind] + 1
  if kind ~= 'data' then names[#names + 1] = name end
end
assert(kinds.bytecode > 10 and kinds.source == 1 and kinds.deflated == 2 and kinds.packed == 2)

-- each collection halves the buffer of `..` and the table of strings, if they are large
local function collect()
  for _ = 1, 12 do collectgarbage() end
  return (host.heap())
end

-- the checksum is computed once
host.reads()
fast.load(names[1])
local first = host.reads()
fast.load(names[1])
local again = host.reads()
assert(again < first and again > 0)

-- the modes of NodeMCU's 5.1, the one of a chip that boots first; 5.3 has none
local ALWAYS, ON_ALLOC_FAILURE, ON_MEM_LIMIT = 4, 1, 2
local modes = {{'boot', ALWAYS, 4096}, {'on failure', ON_ALLOC_FAILURE, 0}, {'none', 0, 0},
  {'below', ON_MEM_LIMIT, -2147483647}, {'limit', ON_MEM_LIMIT, 1000000000}, {'all', 7, 1000000000}}
if _VERSION == 'Lua 5.3' then modes = {{'5.3'}} end
local function in_each_mode(f)
  for _, mode in ipairs(modes) do
    if host.mode then host.mode(mode[2], mode[3]) end
    f(mode[1])
    if host.mode then
      local number, limit, _, flags = host.mode()
      assert(number == mode[2] and limit == mode[3] and not flags, mode[1])
      host.mode(0, 0)
    end
  end
end

-- memory fails at every single allocation of a load; the first times may grow what Lua keeps
-- for itself (its stack, the string cache)
local failures = 0
local function sweep(name)
  for n = 1, 100000 do
    local ok, f, message = host.fail(n, fast.load, name)
    if ok and f then return end
    failures = failures + 1
    assert(tostring(ok and message or f):find 'memory', message)
    if host.mode then assert(not select(4, host.mode())) end
  end
  error 'a load never succeeds'
end
in_each_mode(function(mode)
  for i, name in ipairs(names) do
    if mode == 'boot' or mode == '5.3' or i % 5 == 0 or kinds[name] ~= 'bytecode' then
      sweep(name) sweep(name)
      local before = collect()
      sweep(name) sweep(name)
      local more = collect() - before
      assert(more < 64, name .. ' keeps ' .. more)  -- a block lost in each failure would be far more
    end
  end
end)

-- the collector: no load has it run, whatever its mode is
local quiet = 0
if host.mode then
  in_each_mode(function(mode)
    for _, name in ipairs(names) do
      for _ = 1, 2 do
        local collections, f, message = host.collections(fast.load, name)
        assert(f, message)
        assert(collections == 0, ('%s: %s takes %d collections'):format(mode, name, collections))
        quiet = quiet + 1
      end
    end
    local collections, text = host.collections(fast.data, 'large.txt')
    assert(collections == 0 and #text == 5000, mode)
    assert(host.collections(fast.data, 'large.txt', 100, 200) == 0)
    -- and each does where another program allocates
    local others = host.collections(function() for i = 1, 10 do local t = {i} end end)
    assert((others >= 20) == (mode == 'boot' or mode == 'all' or mode == 'below'), mode)
  end)
  -- what has stopped the collector keeps it stopped, whatever becomes of the load
  for _, name in ipairs(names) do
    collectgarbage 'stop'
    assert(fast.load(name))
    assert(select(3, host.mode()), name)
    host.fail(3, fast.load, name)
    assert(select(3, host.mode()), name)
    collectgarbage 'restart'
  end
  -- one allocation that fails is tried again after a collection
  in_each_mode(function(mode)
    for _, name in ipairs(names) do
      for n = 1, 30 do
        local ok, f, message = host.once(n, fast.load, name)
        assert(ok and f, message)
        assert(not select(4, host.mode()), name)
      end
    end
  end)
  -- a limit is kept: a load that would exceed it is refused, and all of it is given back
  for _, name in ipairs {'ftp', 'large', 'config'} do
    local before = collect()
    host.mode(ON_MEM_LIMIT, host.total() + 3000)
    local f, message = fast.load(name)
    assert(f == nil and message:find 'memory', name)
    host.mode(0, 0)
    assert(collect() - before < 64)
    assert(fast.load(name))
  end
  -- a finalizer that fails ends the load with its message where the heap has to be collected, and only there
  in_each_mode(function(mode)
    local calls = 0
    local function garbage()
      local p = newproxy(true)
      getmetatable(p).__gc = function()
        calls = calls + 1
        error 'of a finalizer'
      end
    end
    for _, way in ipairs {
      function(f, ...) return f(...) end,
      function(f, ...) return coroutine.wrap(function(...) return f(...) end)(...) end,
    } do
      garbage()
      assert(way(fast.load, 'hello'))
      assert(calls == 0, mode)
      local ok, f, message = host.fail(2, function() return way(fast.load, 'ftp') end)
      assert(not ok or f == nil, mode)
      assert(not select(3, host.mode()), mode)
      pcall(collectgarbage) pcall(collectgarbage)
      calls = 0
    end
  end)
end

-- 5.3 collects when an allocation fails, and tries it again: the function is none the worse
local emergencies = 0
if _VERSION == 'Lua 5.3' then
  for _, name in ipairs(names) do
    local whole = string.dump(fast.load(name))
    for n = 1, 60 do
      for i = 1, 20 do local garbage = {name .. i} end
      local ok, f, message = host.once(n, fast.load, name)
      assert(ok and f, message)
      assert(string.dump(f) == whole, name)
      emergencies = emergencies + 1
    end
  end
end

-- all garbage is collected at each new block; 5.1's own compiler is not made for that
local stressed = 0
for _, name in ipairs(names) do
  if _VERSION == 'Lua 5.3' or kinds[name] == 'bytecode' or kinds[name] == 'packed' then
    local whole = string.dump(fast.load(name))
    local ok, f, message = host.stress(fast.load, name)
    assert(ok and f, message)
    assert(string.dump(f) == whole, name)
    stressed = stressed + 1
  end
end

-- the need: below it a chunk is refused before anything is loaded, at it bytecode loads; of source it is
-- known only what inflating takes
local refusals = 0
for _, name in ipairs(names) do
  local ok, f, message = host.limit(700, fast.load, name)
  if ok and f == nil and kinds[name] ~= 'source' then
    local need = tonumber(message:match 'needs (%d+) bytes')
    assert(need, message)
    refusals = refusals + 1
    if kinds[name] == 'bytecode' or kinds[name] == 'packed' then
      assert(select(2, host.limit(need, fast.load, name)), name .. ' does not load with its need')
    else
      local ok, f, message = host.limit(need, fast.load, name)
      assert(ok and f == nil and message:find '^not enough memory', message)
    end
  end
end

for n = 0, 2000, 10 do
  local ok, f, message = host.limit(n, fast.load, 'ftp')
  assert(ok and f == nil, f)
  assert(message == 'not enough memory' or message:find 'bytes of heap', message)
end

-- 1,000 loads and drops: no drift
local cycles = 0
local before = collect()
for i = 1, 1000 do
  for j = 1, 3 do
    assert(fast.load(names[j]))
    cycles = cycles + 1
  end
end
assert(collect() - before < 64)

-- a collector at work all the time, in a coroutine, and from inside a load
collectgarbage('setpause', 0)
collectgarbage('setstepmul', 10000)
local co = coroutine.wrap(function()
  for _, name in ipairs(names) do
    coroutine.yield(fast.load(name))
  end
end)
for _ = 1, #names do
  assert(type(co()) == 'function')
end
local parts = {'return ', '1'}
local inside = load or loadstring
local chunk = assert((_VERSION == 'Lua 5.1' and load or inside)(function()
  assert(fast.load(names[1]))
  return table.remove(parts, 1)
end))
assert(chunk() == 1)
collectgarbage('setpause', 200)
collectgarbage('setstepmul', 200)

-- damage: each bit of a small chunk of each kind, found before anything is loaded
local damaged = 0
for _, small in ipairs {'hello', 'dir', 'get', 'split'} do
  for bit = 0, host.flip(small, 0) - 1 do
    if bit > 0 then host.flip(small, bit) end
    local f, message = fast.load(small)
    assert(f == nil and message:find 'damaged', bit)
    local ok, error = pcall(function() return fast[small] end)
    assert(not ok and error:find 'damaged')
    damaged = damaged + 1
    host.flip(small, bit)
  end
  assert(fast.load(small))
end

-- and of what packed chunks have in common; others do not mind
for bit = 0, host.flipshared(0) - 1 do
  if bit > 0 then host.flipshared(bit) end
  local f, message = fast.load 'split'
  assert(f == nil and message == "chunk 'split' is damaged in flash", bit)
  assert(bit % 1000 > 0 or fast.load 'hello')
  damaged = damaged + 1
  host.flipshared(bit)
end
assert(fast.load 'split')

-- what is deflated is told to be damaged while it is inflated, too, where its checksum does not tell; and
-- nothing is lost
-- the same of what is packed
local late, misread = 0, 0
for _, name in ipairs {'get', 'config', 'split', 'large'} do
  local whole = string.dump(fast.load(name))
  local before = collect()
  for bit = 0, host.flip(name, 0) - 1, (name == 'get' or name == 'split') and 1 or 61 do
    if bit > 0 then host.flip(name, bit) end
    host.trust(name)
    local f, message = fast.load(name)
    if f then misread = misread + 1
    else late = late + 1 end
    assert(f or type(message) == 'string')
    host.flip(name, bit)
  end
  assert(string.dump(fast.load(name)) == whole)
  assert(collect() - before < 64)
end
assert(late > 100)

-- what else the module does
assert(fast.load 'none' == nil and select('#', fast.load 'none') == 1)
assert(fast.none == nil and fast[1] == nil)
assert(not pcall(fast.load))
local info = fast.info()
assert(info.chunks == #names + 1 and info.variant:find '^lua5' and #info.bundle == 16)
local found = {}
for name in fast.list '^telnet.[c-l]' do found[#found + 1] = name end
assert(table.concat(found, ' ') == 'telnet-close telnet-createServer telnet-login')
assert(type(fast.searcher 'hello') == 'function')
assert(fast.searcher 'none':find "no chunk 'none'")
assert(fast.verbose() == false and fast.verbose(true) == true)
local said
local print_before = print
function print(line) said = line end
fast.load 'hello'
print = print_before
assert(said:find '^Module hello loaded in %d+ ms, %d+ bytes of heap left$', said)
fast.verbose(false)

-- require: the image, unless there is a file
package.path = os.getenv 'MODULES' .. '/?.lua'
assert(require 'dir' == 'the file')
package.loaded.dir = nil
assert(require 'hello')
assert(not pcall(require, 'none'))

-- the same where a program has other tables in the place of Lua's
local package = package
local field = _VERSION == 'Lua 5.1' and 'loaders' or 'searchers'
local searchers = package[field]
local changed = 0
local function each_time(change, file)
  package.loaded.hello, package.loaded.dir = nil
  change()
  local ok, dir = pcall(require, 'dir')  -- the one of the image lists the files of a chip, and fails here
  assert(require 'hello' and (ok and dir == 'the file') == (file or false))
  package.loaded.hello, package.loaded.dir = nil
  _G.package, package.loaded.package, package[field] = package, package, searchers
  changed = changed + 1
end
each_time(function() _G.package = {} end, true)
each_time(function() _G.package = nil end, true)
each_time(function() _G.package = 'text' end, true)
each_time(function() package.loaded.package = nil end)
each_time(function() package.loaded.package = {} end)
each_time(function() package.loaded.package = 7 end)
for _, wrong in ipairs {{searchers[1]}, {searchers[1], 5}, {searchers[1], 'x', searchers[3]}} do
  local real = searchers[2]
  each_time(function()
    searchers[2] = wrong[2]
    package.loaded.package = setmetatable({[field] = wrong}, {__index = package})
  end)
  searchers[2] = real
end
-- and print, which tells of loads
local real = print
fast.verbose(true)
print = nil
assert(fast.load 'hello')
print = real
fast.verbose(false)

-- bytecode of another variant: each byte of the header that a variant has of its own
local others = 0
for bit = 0, 8 * (_VERSION == 'Lua 5.1' and 12 or 16) - 1 do
  host.flip('hello', bit)
  host.trust 'hello'
  local f, message = fast.load 'hello'
  assert(f == nil and message:find("^chunk 'hello' is for [%w-]+[ %w]*, but this firmware is lua5[%w-]+$"), message)
  others = others + 1
  host.flip('hello', bit)
end
assert(fast.load 'hello' and others >= 96)

assert(refusals > 0)
assert(stressed > 10)
print(('%d allocations failed, %d loads without a collection, %d emergencies, %d loads under stress, %d loads refused, %d loads and drops, %d bits damaged'):format(
  failures, quiet, emergencies, stressed, refusals, cycles, damaged))
print(('%d loads of changed deflated and packed chunks failed, %d did not'):format(late, misread))
