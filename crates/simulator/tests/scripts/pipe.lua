local p = pipe.create()
p:write("one\ntwo\nthree")
print(p:nrec(), p:read("\n"), p:read("\n+"), p:read(2), p:read(), p:read())
--> 1	one	two
--> 	th	ree	nil
p:write("b")
p:unread("a")
for record in p:reader(1) do print(record) end
--> a
--> b
print(select(2, pcall(p.read, p, 0)))
print(select(2, pcall(p.read, p, "abc")))
--> bad argument #1 to 'read' (invalid chunk size)
--> bad argument #1 to 'read' (invalid delimiter)
-- the reader is a task: once for all that was written; true asks for more, false waits for the next write
local calls = 0
local q
q = pipe.create(function(same)
  calls = calls + 1
  print(calls, same == q, q:read(4))
  if calls == 2 then
    node.task.post(0, function() q:write("more") end)
    return false
  end
  return calls < 2
end, node.task.HIGH_PRIORITY)
q:write("1234")
q:write("5678")
q:write("9")
print("written")
--> written
--> 1	true	1234
--> 2	true	5678
--> 3	true	9mor
