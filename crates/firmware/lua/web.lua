-- Serves the data of the image by plain HTTP: fast.web([port[, file]]), at port 80 without one. Returns the server, whose
-- close() ends it.
-- "/" is index.html. A page goes out in pieces straight from flash, so its size takes no heap. A name that is not
-- there gets the page `file`, if there is one, with the status 404.
local port, missing = ...
-- Bytes of a piece, and of a request's head that are kept; seconds in which a head has to come, and a piece to arrive.
local PIECE, LINE, HEAD, IDLE = 1024, 512, 10, 20
local TYPES = {
  css = 'text/css', gif = 'image/gif', html = 'text/html', ico = 'image/x-icon', jpg = 'image/jpeg',
  js = 'text/javascript', json = 'application/json', png = 'image/png', svg = 'image/svg+xml', txt = 'text/plain',
}
-- By socket: head, how the request begins; tail, what may go on to an empty line; name, what is sent, size and at;
-- left, the seconds until it ends; again, that a piece is to be sent once more. No callback holds its own socket.
local clients, timer = {}, tmr.create()

local function finish(s)
  clients[s] = nil
  pcall(s.close, s)
end

local function more(s)
  local c = clients[s]
  if not c then return end
  local part = c.at < c.size and fast.data(c.name, c.at, PIECE)
  -- where the heap is full, the client sees less than was said
  if not part then return finish(s) end
  c.again = not pcall(s.send, s, part)
  if not c.again then c.at, c.left = c.at + #part, IDLE end
end

local function received(s, d)
  local c = clients[s]
  if not c or c.name then return end
  c.head = c.head .. d:sub(1, LINE - #c.head)
  d = c.tail .. d
  c.tail = d:sub(-2)
  if not d:find('\n\r?\n') then return end
  local verb, name, rest = c.head:match('^%s*(%u+) /([^ ?#\r\n]*)([^\r\n]*)')
  local status, kind, size = '200 OK', 'text/plain', 0
  if not verb or #c.head < LINE and not rest:find(' HTTP/1', 1, true) then
    status, name = '400 Bad Request', ''
  elseif verb ~= 'GET' and verb ~= 'HEAD' then
    status = '405 Method Not Allowed'
  else
    if name == '' then name = 'index.html' end
    size = fast.size(name)
    if not size then
      status, name = '404 Not Found', missing or ''
      size = fast.size(name) or 0
    end
    kind = TYPES[name:match('%.(%w+)$')] or 'application/octet-stream'
  end
  c.head, c.tail, c.left = nil, nil, IDLE
  c.name, c.size, c.at = name, verb == 'GET' and size or 0, 0
  s:send('HTTP/1.0 ' .. status .. '\r\nContent-Type: ' .. kind .. '\r\nContent-Length: ' .. size
    .. '\r\nConnection: close\r\n\r\n')
end

-- A fault costs a connection and not the chip.
local function guarded(f)
  return function(s, d)
    if not pcall(f, s, d) then finish(s) end
  end
end
more, received = guarded(more), guarded(received)

local function tick()
  for s, c in pairs(clients) do
    c.left = c.left - 1
    if c.left < 1 then finish(s) elseif c.again then more(s) end
  end
  if not next(clients) then timer:unregister() end
end

local server = net.createServer(net.TCP, 30)
server:listen(port or 80, function(s)
  if not next(clients) then timer:alarm(1000, tmr.ALARM_AUTO, tick) end
  clients[s] = {head = '', tail = '', left = HEAD}
  s:on('receive', received)
  s:on('sent', more)
  s:on('disconnection', function(it) clients[it] = nil end)
end)
return server
