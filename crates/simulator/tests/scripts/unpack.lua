-- A range that is too long is an error, however long it is.
--! only 5.1
print(unpack({1, 2, 3}))
print(unpack({1, 2, 3}, 2), unpack({1, 2, 3}, 2, 5))
print(pcall(unpack, {}, -2147483648, 2147483647))
print(pcall(unpack, {}, -2147483648))
print(pcall(unpack, {}, 1, 1e8))
print(pcall(unpack, 7))
print(select('#', unpack({}, 1, 7000)))
--> 1	2	3
--> 2	2	3	nil	nil
--> false	too many results to unpack
--> false	too many results to unpack
--> false	too many results to unpack
--> false	bad argument #1 to 'unpack' (table expected, got number)
--> 7000
