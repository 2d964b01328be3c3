--! allow_format
file.putcontents("a", "1")
file.putcontents("b/c", "2")
file.format()
print(next(file.list()), file.fsinfo())
--> nil	3145728	0	3145728
