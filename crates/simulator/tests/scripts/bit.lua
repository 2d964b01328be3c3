print(bit.band(0xFF, 0x3C, 0x0F), bit.bor(1, 2, 4), bit.bxor(5, 1), bit.bnot(0))
--> 12	7	4	-1
print(bit.lshift(1, 31), bit.rshift(-1, 28), bit.arshift(-16, 2), bit.bit(5))
--> -2147483648	15	-4	32
print(bit.set(0, 0, 3), bit.clear(15, 0, 1), bit.isset(4, 2), bit.isclear(4, 2))
--> 9	12	true	false
