-- fast.get('ftp/ftpserver'[, base[, callback]]): fetches the source BASEftp/ftpserver.lua into the
-- file ftpserver.lua, through fast.http (plain HTTP). The base is kept in the file get.url, so it
-- is needed once: fast.get('ftp/ftpserver', 'http://192.168.1.10:8000/lua_modules/').
local name, base, done = ...
if not name then error("get: say fast.get('folder/module'[, 'http://host/path/'])", 0) end
if #name + #(base or '') > 1000 then error('get: the address is longer than 1 kB', 0) end
local f = not base and file.open('get.url', 'r')
if f then
  base = f:read()
  f:close()
end
if not base or base == '' then
  error("get: where from? Say fast.get('" .. name .. "', 'http://host/path/') once", 0)
end
if base:sub(-1) ~= '/' then base = base .. '/' end
if not f then
  f = file.open('get.url', 'w')
  if not f or not f:write(base) then error('get: cannot write get.url', 0) end
  f:close()
end
if not name:find('%.[^/]*$') then name = name .. '.lua' end
local http = fast and fast.http
http = http and http() or require('http')
return http:get(base .. name, name:match('[^/]*$'), done)
