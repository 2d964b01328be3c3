-- Serves the data of the image by plain HTTP: fast.web([port[, file]]), at port 80 without one. Returns the server, whose
-- close() ends it.
-- "/" is index.html. A page goes out in pieces straight from flash, so its size takes no heap. A name that is not
-- there gets the page `file`, if there is one, with the status 404.
local port, missing = ...
local PIECE, HEAD = 1024, 1024
local TYPES = {
  css = 'text/css', gif = 'image/gif', html = 'text/html', ico = 'image/x-icon', jpg = 'image/jpeg',
  js = 'text/javascript', json = 'application/json', png = 'image/png', svg = 'image/svg+xml', txt = 'text/plain',
}
local server = net.createServer(net.TCP, 30)
server:listen(port or 80, function(s)
  local head, name, size, at = '', nil, 0, 0
  local function more()
    if at >= size then
      s:close()
      return
    end
    local part = fast.data(name, at, PIECE)
    if not part then s:close() return end -- the heap is full: the client sees less than was said
    at = at + #part
    s:send(part)
  end
  local function answer(status, kind, length)
    s:on('sent', more)
    s:send('HTTP/1.0 ' .. status .. '\r\nContent-Type: ' .. kind .. '\r\nContent-Length: ' .. length
      .. '\r\nConnection: close\r\n\r\n')
  end
  s:on('receive', function(_, d)
    if name then return end
    head = head .. d
    local is_whole = head:find('\r?\n\r?\n')
    if not is_whole and #head <= HEAD then return end
    local verb, path = head:match('^(%u+) /([^ ?#]*)%S* HTTP/1')
    head, name = '', path or ''
    if not is_whole or not verb then return answer('400 Bad Request', 'text/plain', 0) end
    if verb ~= 'GET' and verb ~= 'HEAD' then return answer('405 Method Not Allowed', 'text/plain', 0) end
    if name == '' then name = 'index.html' end
    local status, length = '200 OK', fast.size(name)
    if not length then
      status, name = '404 Not Found', missing or ''
      length = fast.size(name) or 0
    end
    if verb == 'GET' then size = length end
    answer(status, TYPES[name:match('%.(%w+)$')] or 'application/octet-stream', length)
  end)
end)
return server
