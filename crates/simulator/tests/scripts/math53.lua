--! only 5.3
print(math.type(1), 7 // 2, utf8.char(228), getfenv, node.egc)
--> integer	3	ä	nil	nil
