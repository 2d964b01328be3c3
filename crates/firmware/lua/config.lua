--[[SPLIT MODULE config]]
-- fast.config(): a menu on the serial line that sets up a blank chip. Each step says what it does
-- first; what overwrites something asks for a typed yes.
-- From another prompt, such as telnet's, answers are given by fast.config('answer').
local M = package.loaded.config
local answer = ...
if type(M) == 'table' then return M.answer(answer or '') end
M = {}
local load = FAST_config and fast.load
  or SPIFFS_config and function(name) return loadfile(name .. '.lc') end
if load then
  setmetatable(M, {__index = function(_, method)
    local f, fault = load('config-' .. method)
    if fault then error(fault, 0) end
    return f
  end})
  return M:menu()
end
function M.menu(...) --[[SPLIT HERE config-menu]]
local self = ...
local methods = {'partitions', 'network', 'boot', 'serve', 'serve', 'load', 'split', 'lfs', 'restart'}

local function talk()
  while true do
    print('\n1 partition table      2 ssid and key         3 boot command\n'
      .. '4 start FTP            5 start telnet         6 load a source by HTTP\n'
      .. '7 split and compile    8 reload LFS           9 restart\n0 leave')
    local choice = self.ask('Which one?')
    if choice == '0' then return end
    local method = methods[tonumber(choice) or 0]
    if method then self[method](self, choice) end
  end
end

local co
local function resume(text)
  local ok, fault = coroutine.resume(co, text)
  if not ok then
    print('config: ' .. tostring(fault))
    co = coroutine.create(talk)
    return resume()
  end
  if coroutine.status(co) == 'dead' then self.close() end
end

function self.ask(question)
  print(question)
  return coroutine.yield():match('^%s*(.-)%s*$')
end

function self.sure(what)
  return self.ask(what .. ' Type yes to do it.') == 'yes' or print('Left as it was.')
end

-- A module from the image, or else from the file system.
function self.module(name)
  local f = fast and fast.load(name)
  if f then return f() end
  return require(name)
end

function self.close()
  package.loaded.config = nil
  if uart then uart.on('data') end
  print('config: left')
end

function self.answer(text)
  if #text > 512 then error('config: an answer has up to 512 bytes', 0) end
  node.task.post(function() if co then resume(text) end end)
end

package.loaded.config = self
co = coroutine.create(talk)
if uart then
  local line = ''
  uart.on('data', 0, function(data)
    for ch in data:gmatch('.') do
      if ch == '\r' or ch == '\n' then
        uart.write(0, '\r\n')
        local text = line
        line = ''
        if text ~= '' or ch == '\r' then self.answer(text) end
      elseif ch == '\8' or ch == '\127' then
        if line ~= '' then uart.write(0, '\8 \8') end
        line = line:sub(1, -2)
      elseif #line < 200 then
        line = line .. ch
        uart.write(0, ch)
      end
    end
  end, 0)
end
resume()
return self
end --[[SPLIT IGNORE]]
function M.partitions(...) --[[SPLIT HERE config-partitions]]
local self = ...
local t, flash = node.getpartitiontable(), node.flashsize()
print(('Flash %d kB. LFS: %d kB at 0x%x. Files: %d kB at 0x%x.'):format(flash / 1024,
  t.lfs_size / 1024, t.lfs_addr, t.spiffs_size / 1024, t.spiffs_addr))
print('This moves or resizes LFS and the file system; sizes in kB, multiples of 8.')

local function size(question, old)
  local text = self.ask(('%s (%d)'):format(question, old / 1024))
  if text == '' then return old end
  local n = tonumber(text)
  if not n or n < 0 or n % 8 ~= 0 then error('not a multiple of 8: ' .. text, 0) end
  return n * 1024
end
local lfs = size('Size of LFS?', t.lfs_size)
local base = t.lfs_addr + lfs
if base < t.spiffs_addr then base = t.spiffs_addr end
local start = size('Where do the files begin?', base)
local room = flash - start
room = size('Size of the file system?', room < t.spiffs_size and room or t.spiffs_size)
if start < t.lfs_addr + lfs or start + room > flash then
  error(('that does not fit: LFS ends at 0x%x, flash at 0x%x'):format(t.lfs_addr + lfs, flash), 0)
end
print(('LFS: %d kB at 0x%x. Files: %d kB at 0x%x.'):format(lfs / 1024, t.lfs_addr, room / 1024, start))
if self.sure('The chip restarts; LFS is lost if it moved or changed, and so are ALL FILES.') then
  node.setpartitiontable{lfs_size = lfs, spiffs_addr = start, spiffs_size = room}
end
end --[[SPLIT IGNORE]]
function M.network(...) --[[SPLIT HERE config-network]]
local self = ...
print('This stores an ssid and its key in the chip and joins that network, now and at each start.')
local old = wifi.sta.getconfig()
local ssid = self.ask('Ssid?' .. (old and old ~= '' and ' Now it is ' .. old .. '.' or ''))
if ssid == '' then return end
local key = self.ask('Key? (empty: an open network)')
if #ssid > 32 or #key > 0 and #key < 8 or #key > 64 then
  error('an ssid has up to 32 bytes, a key 8 to 64', 0)
end
if self.sure('The stored ssid and key are replaced.') then
  wifi.setmode(wifi.STATION)
  wifi.sta.config{ssid = ssid, pwd = key ~= '' and key or nil, save = true, auto = true}
  print('Joining ' .. ssid)
end
end --[[SPLIT IGNORE]]
function M.boot(...) --[[SPLIT HERE config-boot]]
local self = ...
print("This sets what runs at each start in place of init.lua, such as fast.ftp():open('user', 'pass').")
print('Now: ' .. (node.startup().command or 'init.lua'))
local text = self.ask('Lua to run? (none: back to the default, all startup options with it)')
if text == '' then return end
local command = text:find('^[=@]') and text or '=' .. text
if text == 'none' then
  if self.sure('All startup options go back to their defaults.') then node.startup{} end
elseif self.sure('The boot command becomes ' .. command .. '.') then
  node.startup{command = command}
end
end --[[SPLIT IGNORE]]
function M.serve(...) --[[SPLIT HERE config-serve]]
local self, choice = ...
if choice == '4' then
  print('This starts the FTP server on the network the chip is on or joins; it runs until restart.')
  local user = self.ask('User?')
  local pass = user ~= '' and self.ask('Password?')
  if not pass or pass == '' then return print('Left as it was.') end
  self.module('ftp'):open(user, pass)
else
  print('This opens the Lua prompt to the network; it runs until restart.')
  local pass = self.ask('Password? (empty: none)')
  self.module('telnet'):open(pass ~= '' and pass or nil)
end
end --[[SPLIT IGNORE]]
function M.load(...) --[[SPLIT HERE config-load]]
local self = ...
print('This fetches a source over HTTP into the file system; a file of that name is replaced.')
local name = self.ask('Which one? Such as ftp/ftpserver.')
if name == '' then return end
local base = self.ask('From which base URL? (empty: the last one)')
if base == '' then base = nil end
if self.sure('The source ' .. name .. ' is fetched.') then
  local get = fast and fast.load('get') or loadfile('get.lc') or assert(loadfile('get.lua'))
  get(name, base)
end
end --[[SPLIT IGNORE]]
function M.split(...) --[[SPLIT HERE config-split]]
local self = ...
print('This splits a source at its SPLIT markers and compiles each piece to a .lc file.')
local name = self.ask('Which file? Such as ftpserver.lua.')
if name ~= '' and self.sure('Older .lc files of the same names are replaced.') then
  local split = fast and fast.load('split') or loadfile('split.lc') or assert(loadfile('split.lua'))
  split(name)
end
end --[[SPLIT IGNORE]]
function M.lfs(...) --[[SPLIT HERE config-lfs]]
local self = ...
print('This replaces the Lua Flash Store by an image file and restarts the chip.')
for name in pairs(file.list()) do
  if name:find('%.img$') then print('  ' .. name) end
end
local name = self.ask('Which image?')
if name == '' then return end
if not file.exists(name) then error('no file ' .. name, 0) end
if self.sure('The present contents of LFS are erased.') then
  local reload = node.LFS and node.LFS.reload or node.flashreload
  print('LFS was not reloaded: ' .. tostring(reload(name)))
end
end --[[SPLIT IGNORE]]
function M.restart(...) --[[SPLIT HERE config-restart]]
local self = ...
if self.sure('This restarts the chip; what runs ends.') then node.restart() end
end --[[SPLIT IGNORE]]
return M:menu() --[[SPLIT IGNORE]]
