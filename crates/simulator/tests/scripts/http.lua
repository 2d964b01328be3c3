-- Requests to a server in the same device: what it hears, and what the callback is told.
local server = net.createServer()
local host
local answers = {
  ["/ok"] = "HTTP/1.1 200 OK\r\nX-Name: a\r\nx-name: b\r\nContent-Length: 5\r\n\r\nhello, and more",
  ["/open"] = "HTTP/1.0 404 Not Found\r\n\r\nup to the end",
  ["/chunks"] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n",
  ["/moved"] = "HTTP/1.1 302 Found\r\nLocation: ok\r\n\r\n",
  ["/loop"] = "HTTP/1.1 301 Moved\r\nLocation: /loop\r\n\r\n",
  ["/none"] = "HTTP/1.1 204 No Content\r\n\r\n",
  ["/cut"] = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
  ["/wrong"] = "SSH-2.0-OpenSSH\r\n",
}
local heard
server:listen(0, function(socket)
  socket:on("receive", function(s, data)
    heard = data
    s:send(answers[data:match("^%S+ (%S+)")], function(same) same:close() end)
  end)
end)
host = "http://127.0.0.1:" .. server:getaddr()
local steps
local function go()
  local step = table.remove(steps, 1)
  if step then step() else server:close() end
end
local function show(code, body, headers)
  print(code, body, headers and headers["x-name"])
  go()
end
local function get(path) return function() http.get(host .. path, nil, show) end end
steps = {
  get("/ok"), get("/open"), get("/chunks"), get("/moved"), get("/loop"), get("/none"), get("/cut"), get("/wrong"),
  function()
    http.post(host .. "/ok", "Content-Type: text/plain\r\nUser-Agent: me\r\n", "a=b", function(code)
      print(code, (heard:gsub("Host: %S+", "Host: H"):gsub("\r\n", "|")))
      go()
    end)
  end,
  function()
    http.request(host .. "/ok", "HEAD", "", "", function(code, body)
      print(code, body == "", (heard:match("^[^\r]*")))
      go()
    end)
  end,
  function() http.put(host .. "/ok", nil, "x", show) end,
  function() http.delete(host .. "/ok", nil, "", show) end,
  function() http.get("http://127.0.0.1:1/", nil, show) end,
}
go()
for _, url in ipairs {"https://localhost/", "ftp://localhost/", "http://192.0.2.1/", "http://example.com/"} do
  print(select(2, pcall(http.get, url, nil, print)))
end
--> https is not simulated
--> bad argument #1 to 'get' (http:// and a host expected)
--> 192.0.2.1 is not this PC, and network access is not allowed
--> example.com is not this PC, and network access is not allowed
--> 200	hello	b
--> 404	up to the end	nil
--> 200	abcde	nil
--> 200	hello	b
--> -1	nil	nil
--> 204		nil
--> -1	nil	nil
--> -1	nil	nil
--> 200	POST /ok HTTP/1.1|Host: H|Connection: close|Content-Length: 3|Content-Type: text/plain|User-Agent: me||a=b
--> 200	true	HEAD /ok HTTP/1.1
--> 200	hello	b
--> 200	hello	b
--> -1	nil	nil
