--! only 5.1
print(node.egc.ALWAYS, node.egc.setmode(node.egc.ALWAYS, 4096), node.stripdebug(), node.stripdebug(3))
print(select(2, pcall(node.egc.setmode, node.egc.ON_MEM_LIMIT)))
--> 4	nil	2	3
--> bad argument #1 to 'setmode' (limit must be non-zero)
