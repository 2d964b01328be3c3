--[[SPLIT MODULE telnet]]
-- The Lua prompt over TCP.
--   fast.telnet():open([pass[, ssid, key]])    joins the network, then serves
--   fast.telnet():createServer([pass[, port]]) serves on the network that is up
--   fast.telnet():close()
-- There is one interpreter, so every session sees what it prints and may type.
-- While it runs it is package.loaded.telnet, so that the next fast.telnet() finds it.
--
-- A session c: inp, what came before the login; rest, the begin of a telnet command, and cr, that a CR came last;
-- auth; sending; left, the ticks until due is called.
local M = package.loaded.telnet
if type(M) == 'table' then return M end
M = {server = false, timer = false, pass = false, clients = {}, delay = 0}
local load = FAST_telnet and fast.load
  or SPIFFS_telnet and function(name) return loadfile(name .. '.lc') end
if load then
  return setmetatable(M, {__index = function(_, method)
    local f, fault = load('telnet-' .. method)
    if fault then error(fault, 0) end
    return f
  end})
end
function M.open(...) --[[SPLIT HERE telnet-open]]
local self, pass, ssid, key = ...
if self.server or self.timer then error('telnet: runs already; close it first', 0) end
if ssid then
  print('telnet: joining ' .. ssid)
  wifi.setmode(wifi.STATION, false)
  wifi.sta.config{ssid = ssid, pwd = key, save = false}
end
package.loaded.telnet = self
local timer, last = tmr.create(), wifi.STA_CONNECTING
self.timer = timer
timer:alarm(500, tmr.ALARM_AUTO, function()
  local now = wifi.sta.status()
  if now == wifi.STA_GOTIP then
    timer:unregister()
    self.timer = false
    local ok, fault = pcall(function() self:createServer(pass) end)
    if not ok then
      package.loaded.telnet = nil
      print(fault)
    end
  elseif now ~= last then
    last = now
    print('telnet: no network yet' .. (now == wifi.STA_WRONGPWD and ', wrong key'
      or now == wifi.STA_APNOTFOUND and ', no such ssid' or ''))
  end
end)
return self
end --[[SPLIT IGNORE]]
function M.createServer(...) --[[SPLIT HERE telnet-createServer]]
local self, pass, port = ...
if self.server or self.timer then error('telnet: runs already; close it first', 0) end
local clients, timer, pipe = self.clients, tmr.create(), nil
self.pass = pass or false

local function drop(sock)
  local c = clients[sock]
  if not c then return end
  clients[sock] = nil
  local auth
  for _, other in pairs(clients) do auth = auth or other.auth end
  if not auth then
    pipe = nil
    node.output()
  end
end

-- Not at once: a socket that is closed while it hands over data resets the connection.
local function bye(sock)
  node.task.post(function()
    drop(sock)
    pcall(sock.close, sock)
  end)
end

-- All sessions share one timer: so many of its ticks of half a second, and f is called.
local function after(c, ticks, f)
  c.left, c.due = ticks, f
  timer:start()
end

timer:register(500, tmr.ALARM_AUTO, function()
  local idle = true
  for sock, c in pairs(clients) do
    if c.left then
      idle, c.left = false, c.left > 1 and c.left - 1
      if not c.left then
        local ok, fault = pcall(c.due, sock)
        if not ok then print('telnet: ' .. tostring(fault)) end
      end
    end
  end
  if idle then timer:stop() end
end)

-- Sends what the interpreter printed to every session, once each took the last piece. One that
-- does not take it in time would silence the others, so it ends.
local function pump()
  if not pipe then return end
  for _, c in pairs(clients) do
    if c.auth and c.sending then return end
  end
  local text = pipe:read(1024)
  if not text or text == '' then return end
  for sock, c in pairs(clients) do
    if c.auth then
      c.sending = true
      after(c, 10, bye)
      if not pcall(sock.send, sock, text) then bye(sock) end
    end
  end
end

-- What waits may take 24 kB of heap, or 4 where little is left: then only the last 2 kB stay.
local function printed(p)
  pipe = p
  local n = p:nrec()
  if n > 96 or n > 16 and node.heap() < 8192 then
    while p:nrec() > 8 do p:read(256) end
    print('telnet: output is lost')
  end
  pump()
  return false -- not again by itself: what is left goes when this was sent
end

function self.welcome(c)
  local first = true
  for _, other in pairs(clients) do first = first and not other.auth end
  c.auth, c.inp = true, nil
  if first then node.output(printed, 0) end
  print(('NodeMCU, heap %d; Ctrl-D ends the session'):format(node.heap()))
  node.input('\n')
end

local function received(sock, d)
  local c = clients[sock]
  if not c then return end
  -- Telnet's negotiation, and the NUL or LF after a CR, are not for the interpreter, wherever they are cut.
  d = c.rest .. d
  c.rest = d:match('\255[\251-\254]?$') or ''
  d = d:sub(1, -1 - #c.rest):gsub('\255[\251-\254].', ''):gsub('\255[^\255]', '')
  if c.cr then d = d:gsub('^[%z\n]', '') end
  c.cr = d:find('\r$')
  d = d:gsub('\r%z?\n?', '\n')
  if d:find('\4', 1, true) then
    bye(sock)
  elseif c.auth then
    if d ~= '' then node.input(d) end
  else
    local ok, fault = pcall(function() self:login(sock, c, d) end)
    if not ok then
      print('telnet: ' .. tostring(fault))
      bye(sock)
    end
  end
end

local server = net.createServer(net.TCP, 180)
server:listen(port or 23, function(sock)
  local n = 0
  for _ in pairs(clients) do n = n + 1 end
  if n > 3 then
    sock:send('Too many sessions\r\n', function(s) s:close() end)
    return
  end
  local c = {inp = '', rest = '', tries = 0}
  clients[sock] = c
  sock:on('receive', received)
  sock:on('disconnection', function(s)
    drop(s)
    pump() -- the others may have waited for it
  end)
  sock:on('sent', function()
    c.sending = false
    if c.auth then c.left = false end
    pump()
  end)
  if pass then
    after(c, 120, bye)
    c.sending = true
    sock:send('Password: \255\251\1') -- will echo, that is, the client shall not
  else
    self.welcome(c)
  end
end)
self.server, self.timer, self.drop, self.bye, self.after = server, timer, drop, bye, after
package.loaded.telnet = self
local _, ip = server:getaddr()
if wifi and wifi.sta then ip = wifi.sta.getip() or ip end
print(('telnet: serving %s:%d, heap %d'):format(ip or '*', port or 23, node.heap()))
return self
end --[[SPLIT IGNORE]]
function M.login(...) --[[SPLIT HERE telnet-login]]
-- Each wrong password doubles the time until the next answer, whichever client asks.
local self, sock, c, d = ...
c.inp = c.inp .. d
local stop = c.inp:find('\n', 1, true)
if #c.inp > 256 then return self.bye(sock) end
if not stop or c.wait then return end
-- In the same time wherever the first wrong byte is.
local word, pass = c.inp:sub(1, stop - 1), self.pass
local wrong = #word - #pass
wrong = wrong * wrong
for i = 1, #word do
  local diff = word:byte(i) - (pass:byte(i) or 0)
  wrong = wrong + diff * diff
end
c.inp = ''
local function verdict(s)
  c.wait, c.sending = false, true
  if wrong == 0 then
    self.delay = 0
    self.after(c, 10, self.bye)
    s:send('\255\252\1\r\n') -- will not echo any more
    return self.welcome(c)
  end
  c.tries = c.tries + 1
  if c.tries > 2 then return s:send('\r\nNo.\r\n', self.bye) end
  self.after(c, 120, self.bye)
  s:send('\r\nPassword: ')
end
local delay = self.delay -- in ticks
if wrong > 0 then
  delay = delay == 0 and 1 or delay < 32 and delay * 2 or delay
  self.delay = delay
end
if delay == 0 then return verdict(sock) end
c.wait = true
self.after(c, delay + 1, verdict)
end --[[SPLIT IGNORE]]
function M.close(...) --[[SPLIT HERE telnet-close]]
local self = ...
if self.timer then self.timer:unregister() end
for sock in pairs(self.clients) do
  self.drop(sock)
  pcall(sock.close, sock)
end
if self.server then self.server:close() end
self.server, self.timer = false, false
self.drop, self.bye, self.after, self.welcome = nil, nil, nil, nil
package.loaded.telnet = nil
end --[[SPLIT IGNORE]]
return M --[[SPLIT IGNORE]]
