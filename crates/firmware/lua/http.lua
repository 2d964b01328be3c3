--[[SPLIT MODULE http]]
-- Fetches a file over plain HTTP/1.1 into flash, piece by piece.
--   fast.http():get(url, file[, callback])  callback(size), or callback(nil, fault)
-- It follows redirects, reads chunked bodies, takes up a cut transfer where it ended and checks
-- the length. The old file stays until the new one is whole. Returns the request r, which
-- fast.http():stop(r, 'why') ends early.
--
-- A request r: url, name, temp, done; sock, file, timer; inp, the begin of a line; have, the
-- bytes in temp; left, the bytes to come; tag, which names the version; began; tries, hops, hints.
-- As a chip starts, Lua 5.1 joins strings to 4,095 bytes at the most, so no address, line or tag is longer than 1 kB.
local M = {}
local load = FAST_http and fast.load
  or SPIFFS_http and function(name) return loadfile(name .. '.lc') end
if load then
  return setmetatable(M, {__index = function(_, method)
    local f, fault = load('http-' .. method)
    if fault then error(fault, 0) end
    return f
  end})
end
function M.get(...) --[[SPLIT HERE http-get]]
local self, url, name, done = ...
if not name then error("http: say fast.http():get('http://host/path', 'file')", 0) end
if #name > 31 then error('http: the file name is longer than 31 bytes', 0) end
if name:find('^~http%d') then error('http: ~http and a digit begin what is not whole yet', 0) end
local i, temp = 0, nil
repeat
  i = i + 1
  temp = '~http' .. i
until not file.exists(temp)
local f = file.open(temp, 'w')
if not f then error('http: cannot write ' .. temp, 0) end
f:close()
local r = {url = url, name = name, temp = temp, have = 0, tries = 0, hops = 0, hints = 0, began = tmr.time()}
r.done = done or function(size, fault)
  print('http: ' .. name .. (size and (', %d bytes'):format(size) or ': ' .. fault))
end
r.timer = tmr.create()
self:connect(r)
return r
end --[[SPLIT IGNORE]]
function M.connect(...) --[[SPLIT HERE http-connect]]
local self, r = ...
local LINE = 1024
if #r.url > LINE then return self:stop(r, 'the address is longer than 1 kB') end
local host, port, path = r.url:match('^http://([^/:?#@]+):?(%d*)([^#]*)')
if not host or r.url:find('[%c ]') then
  return self:stop(r, r.url:find('^https:') and 'https is not possible here: ' .. r.url
    or 'not an http address: ' .. r.url)
end
local s = net.createConnection(net.TCP, 0)
r.sock, r.inp, r.left, r.chunked, r.body = s, '', nil, nil, nil

local function put(d)
  if not r.file:write(d) then return self:stop(r, 'flash is full') end
  r.have = r.have + #d
  if r.left then
    r.left = r.left - #d
    if r.left == 0 and not r.chunked then self:stop(r) end
  end
end

local function chunks()
  while r.sock do
    if r.left > 0 then
      local d = r.inp:sub(1, r.left)
      if d == '' then return end
      r.inp = r.inp:sub(#d + 1)
      put(d)
    else
      local size, rest = r.inp:match('^\r?\n?(%x+)[^\n]*\n()')
      if #r.inp > 256 and not size or size and #size > 7 then return self:stop(r, 'bad chunk') end
      if not size then return end
      r.inp, r.left = r.inp:sub(rest), tonumber(size, 16)
      if r.left == 0 then return self:stop(r) end
    end
  end
end

-- Of the header only the status and the fields that matter are kept.
local WANTED = ' content-length content-range transfer-encoding content-encoding etag last-modified location '
local head, seen = '', 0
local function feed(d)
  if tmr.time() - r.began > 600 then return self:stop(r, 'longer than 10 minutes') end
  r.timer:start(true)
  while not r.body and d ~= '' do
    local stop = d:find('\n', 1, true)
    local line = d:sub(1, stop)
    seen = seen + #line
    if seen > 16384 or #head > 3000 then return self:stop(r, 'no end of the header') end
    r.inp = r.inp .. line:sub(1, LINE - #r.inp)
    if not stop then return end
    d = d:sub(stop + 1)
    line, r.inp = r.inp:match('^[^\r\n]*'), ''
    if line == '' then
      line, head, seen = head, '', 0
      self:head(r, line)
      if not r.sock then return end
    elseif head == '' or WANTED:find(' ' .. line:match('^[^:]*'):lower() .. ' ', 1, true) then
      if #line == LINE and head ~= '' then return self:stop(r, 'a header field is longer than 1 kB') end
      head = head .. line .. '\r\n'
    end
  end
  if r.chunked then
    r.inp = r.inp .. d
    return chunks()
  end
  if d ~= '' then put(r.left and d:sub(1, r.left) or d) end
end

local function cut(fault)
  if r.body and not r.left and fault == 0 then return self:stop(r) end
  self:retry(r, 'cut off')
end

-- A fault ends the request and not the chip. No callback holds its own socket: the firmware would
-- never let go of the two.
local function guard(sock, f, d)
  if r.sock ~= sock then return end
  local ok, fault = pcall(f, d)
  if not ok then self:stop(r, tostring(fault)) end
end
s:on('connection', function(sock)
  -- what there is no room for is tried again when nothing comes
  pcall(sock.send, sock, ('GET %s HTTP/1.1\r\nHost: %s%s\r\nUser-Agent: fastlua\r\n'
    .. 'Accept-Encoding: identity\r\n%sConnection: close\r\n\r\n'):format(
    (path:find('^/') and '' or '/') .. path, host, port ~= '' and ':' .. port or '',
    r.have > 0 and ('Range: bytes=%d-\r\nIf-Range: %s\r\n'):format(r.have, r.tag) or ''))
end)
s:on('receive', function(sock, d) guard(sock, feed, d) end)
s:on('disconnection', function(sock, fault) guard(sock, cut, fault or 0) end)
r.timer:alarm(20000, tmr.ALARM_SEMI, function() guard(r.sock, cut, 1) end)
local ok, fault = pcall(s.connect, s, tonumber(port) or 80, host)
if not ok then self:stop(r, fault) end
end --[[SPLIT IGNORE]]
function M.head(...) --[[SPLIT HERE http-head]]
-- Decides on the answer's header what the body is, or that there is another address.
local self, r, head = ...
local status, reason = head:match('^HTTP/1%.%d (%d%d%d) ?([^\r]*)')
if not status then return self:stop(r, 'not an HTTP answer') end
if status:find('^1') then
  r.hints = r.hints + 1
  return r.hints > 20 and self:stop(r, 'no answer after 20 that announce one')
end
local h = {}
for k, v in head:gmatch('\n([^:\r\n]+):[ \t]*([^\r\n]-)[ \t]*\r') do
  k = k:lower()
  if k == 'content-length' and (h[k] or v) ~= v then return self:stop(r, 'two lengths') end
  h[k] = v
end
if status:find('^30[12378]$') and h.location then
  r.hops = r.hops + 1
  if r.hops > 5 then return self:stop(r, 'too many redirects') end
  local to, root = h.location, r.url:match('^http://[^/?#]+')
  if to:find('^//') then to = 'http:' .. to
  elseif to:find('^/') then to = root .. to
  elseif not to:find('^%a[%w+.-]*:') then
    to = (r.url:match('^(http://[^/?#]+[^?#]*/)') or root .. '/') .. to
  end
  r.url = to
  return self:retry(r)
end
local from, total = (h['content-range'] or ''):match('^bytes (%d+)%-%d+/(%d*)')
if status == '416' or status == '206' and tonumber(from or -1) ~= r.have then
  r.have = 0
  return self:retry(r, 'cannot resume')
elseif status ~= '200' and status ~= '206' then
  return self:stop(r, 'the server says ' .. status .. ' ' .. reason)
end
if status == '200' then r.have = 0 end
local length, coding = h['content-length'], h['transfer-encoding']
r.chunked = coding and coding:lower() == 'chunked'
if coding and not r.chunked or (h['content-encoding'] or 'identity') ~= 'identity' then
  return self:stop(r, 'an encoding that was not asked for')
end
r.tag = h.etag and not h.etag:find('^W/') and h.etag or h['last-modified']
if r.tag and #r.tag > 256 then r.tag = nil end
r.left = r.chunked and 0 or nil
if length and not r.chunked then
  local free = file.fsinfo()
  r.left = length:find('^%d+$') and #length < 10 and tonumber(length)
  if not r.left or r.left > free then
    return self:stop(r, length .. ' bytes to come, ' .. free .. ' free')
  end
end
r.total = total and #total > 0 and tonumber(total) or r.left and not r.chunked and r.have + r.left
r.file = file.open(r.temp, r.have > 0 and 'a' or 'w')
if not r.file then return self:stop(r, 'cannot write ' .. r.temp) end
r.body = true
if r.left == 0 and not r.chunked then self:stop(r) end
end --[[SPLIT IGNORE]]
function M.retry(...) --[[SPLIT HERE http-retry]]
-- Connects again: at once to another address, else after a while and for what is missing.
local self, r, fault = ...
local s = r.sock
r.sock = false
node.task.post(function() pcall(s.close, s) end)
if r.file then r.file:close() end
r.file = nil
-- Without a name for the version the pieces might not fit together.
if not r.tag then r.have = 0 end
if fault then r.tries = r.tries + 1 end
if r.tries > 5 then return self:stop(r, fault) end
r.timer:alarm(fault and r.tries * 500 or 1, tmr.ALARM_SINGLE, function()
  local ok, e = pcall(function() self:connect(r) end)
  if not ok then self:stop(r, tostring(e)) end
end)
end --[[SPLIT IGNORE]]
function M.stop(...) --[[SPLIT HERE http-stop]]
-- Ends a request: well without a fault.
local self, r, fault = ...
if not r.done then return end
-- It may hold what the server says, which is not for a terminal.
fault = fault and fault:sub(1, 200):gsub('[^ -~]', '?')
local s, done = r.sock, r.done
r.sock, r.done = false, false
r.timer:unregister()
if s then node.task.post(function() pcall(s.close, s) end) end
if r.file then r.file:close() end
if not fault and r.total and r.have ~= r.total then
  fault = r.have .. ' bytes came instead of ' .. r.total
end
local size
if not fault then
  -- Flash will not rename onto a name that is taken.
  if file.exists(r.name) then file.remove(r.name) end
  size = file.rename(r.temp, r.name) and r.have
  fault = not size and 'not renamed; the file is ' .. r.temp
elseif file.exists(r.temp) then
  file.remove(r.temp)
end
-- Later, so that a fault in it is not taken for one of ours.
node.task.post(function() done(size or nil, fault or nil) end)
end --[[SPLIT IGNORE]]
return M --[[SPLIT IGNORE]]
