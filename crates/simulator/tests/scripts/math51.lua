--! only 5.1
print(math.sin, math.floor(2.5), math.log10, getfenv ~= nil, utf8)
--> nil	2	nil	true	nil
