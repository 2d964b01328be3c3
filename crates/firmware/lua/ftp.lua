--[[SPLIT MODULE ftp]]
-- An FTP server for the flash file system: RFC 959, 2428 (EPSV, EPRT) and 3659 (MLSD, SIZE, REST). The data of
-- the image is in a folder that can only be read, /image.
--   fast.ftp():open(user, pass[, ssid, key])      joins the network, then serves
--   fast.ftp():createServer(user, pass[, debug])  serves on the network that is up
--   fast.ftp():close()
-- While it runs it is package.loaded.ftp, so that the next fast.ftp() finds it.
--
-- A session c: sock; inp and out, what came and what is still to be sent; task, the transfer
-- (next or file, temp, name); pasv, data, its listener and socket; early, the pieces that came before the task;
-- timer. All but early are false when absent. dir is where it is: '' or a folder of the image.
-- As a chip starts, Lua 5.1 joins strings to 4,095 bytes at the most, so lengths are looked at before.
local M = package.loaded.ftp
if type(M) == 'table' then return M end
M = {server = false, timer = false, clients = {}, delay = 0, port = 21}
local load = FAST_ftp and fast.load
  or SPIFFS_ftp and function(name) return loadfile(name .. '.lc') end
if load then
  return setmetatable(M, {__index = function(_, method)
    local f, fault = load('ftp-' .. method)
    if fault then error(fault, 0) end
    return f
  end})
end
function M.open(...) --[[SPLIT HERE ftp-open]]
local self, user, pass, ssid, key = ...
if not pass then error("ftp: say fast.ftp():open('user', 'pass'[, 'ssid', 'key'])", 0) end
if self.server or self.timer then error('ftp: runs already; close it first', 0) end
if ssid then
  print('ftp: joining ' .. ssid)
  wifi.setmode(wifi.STATION, false)
  wifi.sta.config{ssid = ssid, pwd = key, save = false}
end
package.loaded.ftp = self
local timer, last = tmr.create(), wifi.STA_CONNECTING
self.timer = timer
timer:alarm(500, tmr.ALARM_AUTO, function()
  local now = wifi.sta.status()
  if now == wifi.STA_GOTIP then
    timer:unregister()
    self.timer = false
    local ok, fault = pcall(function() self:createServer(user, pass) end)
    if not ok then
      package.loaded.ftp = nil
      print(fault)
    end
  elseif now ~= last then
    last = now
    print('ftp: no network yet' .. (now == wifi.STA_WRONGPWD and ', wrong key'
      or now == wifi.STA_APNOTFOUND and ', no such ssid' or ''))
  end
end)
return self
end --[[SPLIT IGNORE]]
function M.createServer(...) --[[SPLIT HERE ftp-createServer]]
local self, user, pass, debug = ...
if not pass then error("ftp: say fast.ftp():createServer('user', 'pass')", 0) end
if self.server or self.timer then error('ftp: runs already; close it first', 0) end
local clients = self.clients
self.user, self.pass = user, pass

-- Ends what a transfer holds; a file that did not become whole goes.
local function shut(c)
  local task, data, pasv = c.task, c.data, c.pasv
  c.task, c.data, c.pasv, c.ip, c.early = false, false, false, false, {}
  self.after(c)
  if data then pcall(data.close, data) end
  if pasv then pcall(pasv.close, pasv) end
  if task and task.file then task.file:close() end
  if task and task.temp then file.remove(task.temp) end
end

local function drop(c)
  local sock = c.sock
  if not sock then return end
  c.sock = false
  clients[sock] = nil
  shut(c)
  pcall(sock.close, sock)
end

-- Calls f, a function or a method's name, so that a fault costs the session and not the chip.
local function call(c, f, ...)
  if not c.sock then return end
  local ok, fault = pcall(function(...)
    if type(f) == 'string' then return self[f](self, c, ...) end
    return f(...)
  end, ...)
  if not ok then
    print('ftp: ' .. tostring(fault))
    drop(c)
  end
end

-- A session has one timer; without ms it is only stopped.
function self.after(c, ms, f)
  if c.timer then c.timer:unregister() end
  c.timer = ms and tmr.create()
  if ms then
    c.timer:alarm(ms, tmr.ALARM_SINGLE, function()
      c.timer = false
      call(c, f)
    end)
  end
end

-- The chip sends one piece at a time: the next goes when the last is acknowledged.
local function sent(c)
  local piece = c.out:sub(1, 1024)
  c.out = c.out:sub(1025)
  c.sending = piece ~= ''
  if c.sending then
    c.sock:send(piece)
  elseif c.quit then
    drop(c)
  else
    self:input(c, '')
  end
end

function self.say(c, text)
  if debug then print('ftp: ' .. c.id .. ' < ' .. text) end
  c.out = c.out .. text .. '\r\n'
  if not c.sending then sent(c) end
end

self.debug, self.shut, self.drop, self.call = debug or false, shut, drop, call
local server = net.createServer(net.TCP, 180)
server:listen(self.port, function(sock)
  local used, id = {}, 1
  for _, c in pairs(clients) do used[c.id] = true end
  while used[id] do id = id + 1 end
  if id > 4 then
    sock:send('421 Too many clients\r\n', function(s) s:close() end)
    return
  end
  local c = {sock = sock, id = id, inp = '', out = '', early = {}, dir = '', rest = 0, tries = 0}
  clients[sock] = c
  sock:on('receive', function(_, d) call(c, 'input', d) end)
  sock:on('sent', function() call(c, sent, c) end)
  sock:on('disconnection', function() drop(c) end)
  self.after(c, 60000, function() drop(c) end)
  call(c, self.say, c, '220 NodeMCU FTP')
end)
self.server = server
package.loaded.ftp = self
local _, ip = server:getaddr()
if wifi and wifi.sta then ip = wifi.sta.getip() or ip end
print(('ftp: serving %s:%d, heap %d'):format(ip or '*', self.port, node.heap()))
return self
end --[[SPLIT IGNORE]]
function M.close(...) --[[SPLIT HERE ftp-close]]
local self = ...
if self.timer then self.timer:unregister() end
for _, c in pairs(self.clients) do self.drop(c) end
if self.server then self.server:close() end
self.server, self.timer = false, false
for _, name in ipairs{'after', 'say', 'shut', 'drop', 'call'} do self[name] = nil end
package.loaded.ftp = nil
end --[[SPLIT IGNORE]]
function M.input(...) --[[SPLIT HERE ftp-input]]
-- Takes what came on the control connection apart into lines, one command at a time: the next
-- when the answer to the last is out, and while a transfer runs only what may interrupt it.
local self, c, d = ...
if #c.inp + #d > 4095 then return self.drop(c) end
c.inp = c.inp .. d
local methods = {
  login = ' USER PASS ',
  basic = ' QUIT SYST FEAT TYPE MODE STRU PWD NOOP ALLO HELP OPTS SITE STAT ABOR MKD RMD AUTH ',
  files = ' CWD CDUP SIZE MDTM MLST DELE RNFR RNTO REST ',
  ports = ' PASV EPSV PORT EPRT ',
  list = ' LIST NLST MLSD ',
  store = ' STOR APPE ',
  fetch = ' RETR ',
}
while c.sock and not c.sending and not c.wait and not c.quit do
  local stop = c.inp:find('\n', 1, true)
  if not stop and #c.inp > 512 then c.inp, c.skip = '', true end
  if not stop then break end
  local line = c.inp:sub(1, stop - 1)
  -- A telnet interrupt may stand before the command.
  local cmd, arg = line:match('^[\128-\255]*(%a+) ?([^\r]*)\r?$')
  cmd = cmd and cmd:upper() or ''
  if c.task and not (' ABOR STAT NOOP '):find(' ' .. cmd .. ' ', 1, true) then break end
  c.inp = c.inp:sub(stop + 1)
  if self.debug then print('ftp: ' .. c.id .. ' > ' .. (cmd == 'PASS' and cmd or line:gsub('%c', '?'))) end
  if c.skip or stop > 512 then
    c.skip = false
    self.say(c, '500 The line is too long')
  elseif not c.auth and not (' USER PASS QUIT '):find(' ' .. cmd .. ' ', 1, true) then
    self.say(c, '530 Log in first')
  else
    local method
    for name, cmds in pairs(methods) do
      if cmds:find(' ' .. cmd .. ' ', 1, true) then method = name end
    end
    if not method then
      self.say(c, '500 Unknown command')
    elseif (' files list store fetch '):find(method, 1, true) and cmd ~= 'REST'
      and (c.dir ~= '' or arg:find('image', 1, true)) then
      self:image(c, cmd, arg, method)
    else
      self[method](self, c, cmd, arg)
    end
  end
end
if c.auth and c.sock and not c.task and not c.wait then
  self.after(c, 300000, function() self.drop(c) end)
end
end --[[SPLIT IGNORE]]
function M.login(...) --[[SPLIT HERE ftp-login]]
-- Each wrong password doubles the time until the next answer, whichever client asks.
local self, c, cmd, arg = ...
if cmd == 'USER' then
  c.user, c.auth = arg, false
  return self.say(c, '331 Password?')
elseif not c.user then
  return self.say(c, '503 USER first')
end
-- In the same time wherever the first wrong byte is.
local function wrong(text, secret)
  local sum = #text - #secret
  sum = sum * sum
  for i = 1, #text do
    local diff = text:byte(i) - (secret:byte(i) or 0)
    sum = sum + diff * diff
  end
  return sum
end
local good = wrong(c.user, self.user) + wrong(arg, self.pass) == 0
c.user = false
local function verdict()
  c.wait = false
  if good then
    c.auth, self.delay = true, 0
    self.after(c)
    self.say(c, '230 Welcome')
  else
    c.tries = c.tries + 1
    c.quit = c.tries > 2
    self.after(c, 60000, function() self.drop(c) end)
    self.say(c, '530 Wrong user or password')
  end
end
local delay = self.delay
if not good then
  delay = delay == 0 and 500 or delay < 16000 and delay * 2 or delay
  self.delay = delay
end
if delay == 0 then return verdict() end
c.wait = true
self.after(c, delay, verdict)
end --[[SPLIT IGNORE]]
function M.basic(...) --[[SPLIT HERE ftp-basic]]
local self, c, cmd, arg = ...
local text
if cmd == 'QUIT' then
  c.quit, text = true, '221 Goodbye'
elseif cmd == 'SYST' then
  text = '215 UNIX Type: L8'
elseif cmd == 'FEAT' then
  text = '211-Features\r\n EPRT\r\n EPSV\r\n MDTM\r\n MLST type*;size*;modify*;\r\n'
    .. ' REST STREAM\r\n SIZE\r\n UTF8\r\n211 End'
elseif cmd == 'TYPE' then
  text = ('|A|A N|I|L 8|'):find('|' .. arg:upper() .. '|', 1, true)
    and '200 Bytes travel as they are' or '504 Only A, I and L 8'
elseif cmd == 'MODE' or cmd == 'STRU' then
  text = arg:upper() == (cmd == 'MODE' and 'S' or 'F') and '200 OK' or '504 Only MODE S, STRU F'
elseif cmd == 'PWD' then
  text = '257 "/' .. c.dir .. '"'
elseif cmd == 'NOOP' then
  text = '200 OK'
elseif cmd == 'ALLO' then
  local need, free = tonumber(arg:match('^%d+')), file.fsinfo()
  text = not need and '501 How much?' or need > free and '452 Only ' .. free .. ' bytes are free'
    or '200 There is room'
elseif cmd == 'HELP' then
  text = '214-USER PASS QUIT SYST FEAT TYPE MODE STRU PWD CWD CDUP LIST NLST MLSD MLST SIZE MDTM\r\n'
    .. ' STOR APPE RETR REST DELE RNFR RNTO PASV EPSV PORT EPRT NOOP ABOR ALLO STAT HELP OPTS\r\n214 End'
elseif cmd == 'OPTS' then
  text = arg:upper():find('^UTF8') and '200 Always UTF8'
    or arg:upper():find('^MLST') and '200 MLST OPTS type;size;modify;' or '501 Unknown option'
elseif cmd == 'SITE' then
  text = '504 There are no SITE commands'
elseif cmd == 'STAT' and arg == '' then
  text = ('211-User %s, %s\r\n %d bytes of heap, %d of flash free\r\n211 End'):format(self.user,
    c.task and 'a transfer runs' or 'idle', node.heap(), (file.fsinfo()))
elseif cmd == 'STAT' then
  text = '504 Use LIST'
elseif cmd == 'ABOR' then
  text = c.task and '426 Aborted\r\n226 Done' or '226 Nothing to abort'
  self.shut(c)
elseif cmd == 'AUTH' then
  text = '502 There is no TLS'
else
  text = '550 No directories can be made or removed'
end
self.say(c, text)
end --[[SPLIT IGNORE]]
function M.name(...) --[[SPLIT HERE ftp-name]]
-- The file's name for a path, or nil after the client was told what is wrong with it.
local self, c, path = ...
local name = path:gsub('^[%./]*/', '')
local text = ('/' .. path .. '/'):find('/../', 1, true) and '550 The path climbs out'
  or (name == '' or name == '.') and '501 A file name is needed'
  or name:find('%c') and '553 Control characters in the name'
  or #name > 31 and '553 The name is longer than 31 bytes'
for _, other in pairs(self.clients) do
  if other.task and other.task.temp == name then text = '450 An upload is on its way there' end
end
if not text then return name end
self.say(c, text)
end --[[SPLIT IGNORE]]
function M.files(...) --[[SPLIT HERE ftp-files]]
local self, c, cmd, arg = ...
local say = self.say
if cmd == 'REST' then
  local from = arg:match('^%d+$')
  c.rest = from and tonumber(from) or 0
  return say(c, from and '350 From ' .. from or '501 A number is needed')
elseif cmd == 'CDUP' then
  return say(c, '550 This is the top')
elseif (cmd == 'CWD' or cmd == 'MLST') and arg:find('^[/%.]*$') and not arg:find('..', 1, true) then
  return say(c, cmd == 'CWD' and '250 OK' or '250-\r\n type=dir; /\r\n250 End')
end
local name = self:name(c, arg)
if not name then return end
local stat = file.stat(name)
if cmd == 'RNTO' then
  local from = c.from
  c.from = false
  return say(c, not from and '503 RNFR first' or stat and '553 The new name is taken'
    or file.rename(from, name) and '250 Renamed' or '550 Not renamed')
elseif not stat then
  return say(c, '550 No such ' .. (cmd == 'CWD' and 'directory' or 'file'))
end
local t = stat.time
t = t and t.year > 1970
  and ('%04d%02d%02d%02d%02d%02d'):format(t.year, t.mon, t.day, t.hour, t.min, t.sec)
if cmd == 'CWD' then
  say(c, '550 It is a file')
elseif cmd == 'SIZE' then
  say(c, ('213 %d'):format(stat.size))
elseif cmd == 'MDTM' then
  say(c, t and '213 ' .. t or '550 The file system keeps no times')
elseif cmd == 'MLST' then
  say(c, ('250-\r\n type=file;size=%d;%s /%s\r\n250 End'):format(stat.size,
    t and 'modify=' .. t .. ';' or '', name))
elseif cmd == 'DELE' then
  file.remove(name)
  say(c, file.exists(name) and '450 Not removed; is it open?' or '250 Removed')
else
  c.from = name
  say(c, '350 To which name?')
end
end --[[SPLIT IGNORE]]
function M.ports(...) --[[SPLIT HERE ftp-ports]]
local self, c, cmd, arg = ...
local say = self.say
self.shut(c)
if cmd == 'PORT' or cmd == 'EPRT' then
  local ip, port
  if cmd == 'PORT' then
    local a, b, hi, lo = arg:match('^(%d+,%d+),(%d+,%d+),(%d+),(%d+)$')
    ip = a and (a .. ',' .. b):gsub(',', '.')
    port = a and tonumber(hi) * 256 + tonumber(lo)
  else
    ip, port = arg:match('^|1|([%d%.]+)|(%d+)|$')
    port = tonumber(port)
    if arg:find('^|[^1]|') then return say(c, '522 Only (1)') end
  end
  local _, peer = c.sock:getpeer()
  if not port or port > 65535 then return say(c, '501 Not an address') end
  -- Anybody else's address would make the chip a stepping stone.
  if ip ~= peer or port < 1024 then return say(c, '504 Only to your own address, from port 1024') end
  c.ip, c.to = ip, port
  return say(c, '200 OK')
end
if cmd == 'EPSV' and arg ~= '' and arg ~= '1' then
  return say(c, arg:upper() == 'ALL' and '200 OK' or '522 Only (1)')
end
local server = net.createServer(net.TCP, 60)
if not pcall(server.listen, server, function(s) self.call(c, 'joined', s) end) then
  return say(c, '421 No listener is left; try again')
end
c.pasv = server
local port = server:getaddr()
local _, ip = c.sock:getaddr()
if cmd == 'EPSV' then
  say(c, ('229 Extended passive (|||%d|)'):format(port))
else
  say(c, ('227 Passive (%s,%d,%d)'):format(ip:gsub('%.', ','), (port - port % 256) / 256, port % 256))
end
end --[[SPLIT IGNORE]]
function M.joined(...) --[[SPLIT HERE ftp-joined]]
-- A data connection came in. What it brings before the command that wants it is kept. No callback
-- holds its own socket: the firmware would never let go of the two.
local self, c, s = ...
local _, peer = c.sock:getpeer()
local _, from = s:getpeer()
if not c.pasv or from ~= peer then return s:close() end
c.pasv:close()
c.pasv, c.data = false, s
s:hold()
s:on('receive', function(_, d)
  local early = c.early
  early[#early + 1] = d
end)
s:on('disconnection', function(it) if c.data == it then c.data = false end end)
if c.task then self:go(c) end
end --[[SPLIT IGNORE]]
function M.list(...) --[[SPLIT HERE ftp-list]]
-- at: the folder of the image that is listed, '' or with a slash behind it.
local self, c, cmd, arg, at = ...
if not at then
  if cmd == 'LIST' then arg = arg:gsub('^%-%a+ ?', '') end
  if arg:find('^[/%.]*$') and not arg:find('..', 1, true) then
    arg = false
  else
    arg = self:name(c, arg)
    if not arg then return end
    if cmd == 'MLSD' then return self.say(c, '501 Not a directory') end
  end
end
local fits = arg and self:fits(arg)
local entry -- gives the next name and its size, which a folder has none of
if at then
  local step, state, last = fast.list()
  local seen = {}
  function entry()
    repeat
      local size, form, name
      last, size, form = step(state, last)
      if not last then return end
      name = form == 'data' and last:sub(1, #at) == at and last:sub(#at + 1) or ''
      local folder = name:match('^([^/]+)/')
      if folder then
        name, size = not seen[folder] and folder or '', nil
        seen[folder] = true
      end
      if name ~= '' and (not fits or fits(name)) then return name, size end
    until false
  end
else
  local sizes, names, i = file.list() or {}, {}, 0
  if self:folder('') then sizes.image = false end
  for name in pairs(sizes) do
    if not fits or fits(name) then names[#names + 1] = name end
  end
  table.sort(names)
  function entry()
    i = i + 1
    return names[i], sizes[names[i]]
  end
end
local name, size = entry()
if arg and not name then return self.say(c, '550 No such file') end
self:start(c, {next = function()
  local lines = {}
  while name and #lines < 12 do
    if cmd == 'NLST' then
      lines[#lines + 1] = name .. '\r\n'
    elseif cmd == 'MLSD' then
      lines[#lines + 1] = (size and 'type=file;size=' .. size or 'type=dir') .. '; ' .. name .. '\r\n'
    else
      lines[#lines + 1] = ('%s 1 ftp ftp %8d Jan  1  1970 %s\r\n'):format(
        not size and 'dr-xr-xr-x' or at and '-r--r--r--' or '-rw-rw-rw-', size or 0, name)
    end
    name, size = entry()
  end
  return lines[1] and table.concat(lines)
end})
end --[[SPLIT IGNORE]]
function M.fits(...) --[[SPLIT HERE ftp-fits]]
-- A function that tells whether a name fits a pattern of the shell's: * and ?.
local _, pattern = ...
-- A Lua pattern would try all ways to share a name among its stars. Only the last star is tried again.
return function(name)
  local n, a, from, star = 1, 1, 1, nil
  while n <= #name do
    local want = pattern:byte(a)
    if want == 42 then -- *
      from, star = n, a + 1
      a = star
    elseif want == 63 or want == name:byte(n) then -- ?
      n, a = n + 1, a + 1
    elseif star then
      from = from + 1
      n, a = from, star
    else
      return false
    end
  end
  return pattern:find('^%**$', a)
end
end --[[SPLIT IGNORE]]
function M.folder(...) --[[SPLIT HERE ftp-folder]]
-- Whether the image has data that lies in this folder; '' is the folder of all.
local self, name = ...
if not fast or not fast.data then return false end
if name ~= '' then name = name .. '/' end
for other, _, form in fast.list() do
  if form == 'data' and other:sub(1, #name) == name then return true end
end
return false
end --[[SPLIT IGNORE]]
function M.image(...) --[[SPLIT HERE ftp-image]]
-- A command with a path that may lead into the image; with any other it goes on to the method for files.
local self, c, cmd, arg, method = ...
local say, parts = self.say, {}
if cmd == 'LIST' then arg = arg:gsub('^%-%a+ ?', '') end
if cmd == 'CDUP' then arg = '..' end
for part in ((arg:find('^/') and '' or c.dir .. '/') .. arg):gmatch('[^/]+') do
  if part == '..' then
    if not parts[1] then return say(c, '550 The path climbs out') end
    parts[#parts] = nil
  elseif part ~= '.' then
    parts[#parts + 1] = part
  end
end
local path = table.concat(parts, '/')
if parts[1] ~= 'image' or not self:folder('') then
  if path == '' and method == 'files' and cmd:find('^C') then
    c.dir = ''
    return say(c, '250 OK')
  end
  return self[method](self, c, cmd, c.dir == '' and arg or '/' .. path)
end
local name, rest = table.concat(parts, '/', 2), c.rest
local size, folder = fast.size(name), self:folder(name)
if method == 'list' then
  if folder then return self:list(c, cmd, false, name ~= '' and name .. '/' or '') end
  if cmd == 'MLSD' then return say(c, '501 Not a directory') end
  return self:list(c, cmd, parts[#parts], name:match('.*/') or '')
end
if cmd == 'RETR' or method == 'store' then c.rest = 0 end
if cmd == 'RNTO' then c.from = false end
if cmd == 'CWD' or cmd == 'CDUP' then
  if folder then c.dir = path end
  say(c, folder and '250 OK' or size and '550 It is a file' or '550 No such directory')
elseif cmd == 'MLST' and folder then
  say(c, '250-\r\n type=dir; /' .. path .. '\r\n250 End')
elseif not (' SIZE MDTM MLST RETR '):find(cmd, 1, true) then
  say(c, (method == 'files' and cmd ~= 'RNTO' and '550' or '553') .. ' /image can only be read')
elseif not size then
  say(c, folder and '550 It is a directory' or '550 No such file')
elseif cmd == 'SIZE' then
  say(c, ('213 %d'):format(size))
elseif cmd == 'MDTM' then
  say(c, '550 The image keeps no times')
elseif cmd == 'MLST' then
  say(c, ('250-\r\n type=file;size=%d; /%s\r\n250 End'):format(size, path))
elseif rest > size then
  say(c, '554 REST is past the end')
else
  self:start(c, {next = function()
    local d, fault = fast.data(name, rest, 1024)
    if d then rest = rest + #d end
    return d ~= '' and d, fault
  end})
end
end --[[SPLIT IGNORE]]
function M.fetch(...) --[[SPLIT HERE ftp-fetch]]
local self, c, _, arg = ...
local name, rest = self:name(c, arg), c.rest
c.rest = 0
if not name then return end
local stat = file.stat(name)
if not stat then return self.say(c, '550 No such file') end
if rest > stat.size then return self.say(c, '554 REST is past the end') end
local f = file.open(name, 'r')
if not f then return self.say(c, '450 Not opened') end
f:seek('set', rest)
self:start(c, {file = f, next = function() return f:read(1024) end})
end --[[SPLIT IGNORE]]
function M.store(...) --[[SPLIT HERE ftp-store]]
-- A new file is written beside the old one, under a name that nobody has or wants; the old one goes
-- when the new one is whole. APPE, and STOR after REST, write in place: REST must be the size, for
-- flash files cannot be cut.
local self, c, cmd, arg = ...
local name, rest = self:name(c, arg), c.rest
c.rest = 0
if not name then return end
local stat = file.stat(name)
if cmd == 'STOR' and rest > 0 and (not stat or stat.size ~= rest) then
  return self.say(c, '554 REST is not the size of the file')
end
local temp, i = false, 0
if cmd == 'STOR' and rest == 0 then
  local taken = {[name] = true} -- by what other uploads will be
  for _, other in pairs(self.clients) do
    if other.task then taken[other.task.name or ''] = true end
  end
  repeat
    i = i + 1
    temp = '~ftp' .. i
  until not taken[temp] and not file.exists(temp)
end
local f = file.open(temp or name, temp and 'w' or 'a')
if not f then return self.say(c, '452 Not opened; is flash full?') end
self:start(c, {file = f, temp = temp, name = name})
end --[[SPLIT IGNORE]]
function M.start(...) --[[SPLIT HERE ftp-start]]
-- Starts a transfer as soon as there is a data connection.
local self, c, task = ...
local call = self.call
-- A short upload may have come and gone already.
local ready = c.data or c.early[1] and not task.next
c.task = task
if not ready and not c.pasv and not c.ip then return self:over(c, '425 PASV or PORT first') end
self.say(c, '150 Here it comes')
if ready then return self:go(c) end
self.after(c, 20000, function() self:over(c, '425 No data connection') end)
if c.ip then
  local s = net.createConnection(net.TCP, 0)
  c.data = s
  s:on('connection', function() call(c, 'go') end)
  s:on('disconnection', function() call(c, 'over', '425 No data connection') end)
  s:connect(c.to, c.ip)
end
end --[[SPLIT IGNORE]]
function M.go(...) --[[SPLIT HERE ftp-go]]
-- Both the transfer and its connection are there.
local self, c = ...
local call, task, s = self.call, c.task, c.data
self.after(c)
-- Something moved; where nothing does for a minute, the transfer ends.
local function alive()
  if c.timer then return c.timer:start(true) end
  self.after(c, 60000, function() self:over(c, '426 Nothing moved for a minute') end)
end
if task.next then
  local held
  local tries = 0
  local function more()
    if c.task ~= task then return end
    local d, fault = held
    if not d then d, fault = task.next() end
    held = nil
    if not d then
      self:over(c, fault and '451 ' .. fault or '226 Done', not fault)
    elseif pcall(c.data.send, c.data, d) then
      if tries > 0 then self.after(c) end
      tries = 0
      alive()
    elseif tries < 600 then
      tries = tries + 1
      held = d -- no room to send it: again in a moment
      self.after(c, 100, more)
    else
      self:over(c, '426 No room to send')
    end
  end
  s:on('sent', function() call(c, more) end)
  s:on('disconnection', function() if c.task == task then call(c, 'over', '426 Cut off') end end)
  return more()
end
local function take(d)
  if c.task ~= task then return end
  alive()
  if not task.file:write(d) then self:over(c, '452 Flash is full') end
end
-- A client that fails looks like the end of the file: it closes this connection, and the session's when it ends
-- itself. Nothing but time tells it from one that is done, and what 226 says can't be taken back.
local function last(_, fault)
  if c.task ~= task then return end
  if fault and fault ~= 0 then return call(c, 'over', '426 Cut off') end
  self.after(c, 200, function() self:over(c, '226 Done', true) end)
end
local early = c.early
c.early = {}
for _, d in ipairs(early) do take(d) end
if not s then return last() end
alive()
s:on('receive', function(_, d) call(c, take, d) end)
s:on('disconnection', last)
s:unhold()
end --[[SPLIT IGNORE]]
function M.over(...) --[[SPLIT HERE ftp-over]]
-- Ends a transfer, well or not.
local self, c, text, good = ...
local task = c.task
if not task then return end
if task.file then task.file:close() end
task.file = nil
if good and task.temp then
  -- Flash will not rename onto a name that is taken.
  if file.exists(task.temp) and file.exists(task.name) then file.remove(task.name) end
  if not file.rename(task.temp, task.name) then
    text = '451 Not renamed; the file is ' .. task.temp
  end
  task.temp = nil
end
self.shut(c)
self.say(c, text)
end --[[SPLIT IGNORE]]
return M --[[SPLIT IGNORE]]
