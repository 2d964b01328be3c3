--! only 5.1
print(node.egc.NOT_ACTIVE, node.egc.ON_ALLOC_FAILURE, node.egc.ON_MEM_LIMIT, node.egc.ALWAYS)
print(select('#', node.egc.setmode(node.egc.ALWAYS, 4096)), node.stripdebug(), node.stripdebug(3))
for _, arguments in ipairs {{}, {'x'}, {8}, {-1}, {2}, {6}, {0, 'x'}} do
  print(select(2, pcall(node.egc.setmode, unpack(arguments))))
end
local total, used = node.egc.meminfo()
print(total > 0, used > 0, used <= total)

-- The limit is on what is joined, whatever the mode.
node.egc.setmode(node.egc.ON_ALLOC_FAILURE)
local long = ('x'):rep(10000)
for _, arguments in ipairs {{0}, {0, 100}, {1}, {1, 5000}, {2, 100000}, {2, -6144}, {4}, {4, 300}, {4, 4096}, {7, 100000}} do
  node.egc.setmode(unpack(arguments))
  local joined = {}
  for _, n in ipairs {99, 100, 299, 300, 4095, 4096, 4999, 5000, 10000} do
    if pcall(function() return long:sub(2, n) .. 'x' end) then joined[#joined + 1] = n end
  end
  print(arguments[1], arguments[2], unpack(joined))
end

-- More than the limit is not to be had, once what nobody uses is collected.
node.egc.setmode(node.egc.ON_MEM_LIMIT, 50000)
for i = 1, 100 do
  local t = {}
  for j = 1, 1000 do t[j] = j end
end
print(pcall(function()
  local t = {}
  for i = 1, 100000 do t[i] = {i} end
end))
node.egc.setmode(node.egc.ON_ALLOC_FAILURE)
local t = {}
for i = 1, 10000 do t[i] = {i} end
print(#t)
--> 0	1	2	4
--> 0	2	3
--> bad argument #1 to 'setmode' (number expected, got no value)
--> bad argument #1 to 'setmode' (number expected, got string)
--> bad argument #1 to 'setmode' (invalid mode)
--> bad argument #1 to 'setmode' (invalid mode)
--> bad argument #1 to 'setmode' (limit must be non-zero)
--> bad argument #1 to 'setmode' (limit must be non-zero)
--> bad argument #2 to 'setmode' (number expected, got string)
--> true	true	true
--> 0	nil	99	100	299	300	4095	4096	4999	5000	10000
--> 0	100	99
--> 1	nil	99	100	299	300	4095	4096	4999	5000	10000
--> 1	5000	99	100	299	300	4095	4096	4999
--> 2	100000	99	100	299	300	4095	4096	4999	5000	10000
--> 2	-6144	99	100	299	300	4095	4096	4999	5000	10000
--> 4	nil	99	100	299	300	4095	4096	4999	5000	10000
--> 4	300	99	100	299
--> 4	4096	99	100	299	300	4095
--> 7	100000	99	100	299	300	4095	4096	4999	5000	10000
--> false	not enough memory
--> 10000
