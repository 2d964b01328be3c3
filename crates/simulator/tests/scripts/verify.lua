-- Bytecode is verified before it runs, whichever way it comes.
local function f() return 1 end
local good = string.dump(f)
-- its last RETURN becomes a MOVE
local place = good:find("\30%z\128%z") or good:find("\38\0\128\0", 1, true)
local bad = good:sub(1, place - 1) .. "\0\0\0\0" .. good:sub(place + 4)
print(good ~= bad, loadstring(good)())
--> true	1
print(loadstring(bad))
--> nil	not safe to run: function main: its last instruction is not RETURN [end]
file.putcontents("good.lc", good)
file.putcontents("bad.lc", bad)
file.putcontents("cut.lc", good:sub(1, -5))
print(dofile("good.lc"), select(2, pcall(dofile, "bad.lc")))
--> 1	@bad.lc: not safe to run: function main: its last instruction is not RETURN [end]
print((select(2, loadfile("cut.lc")):match("^@cut.lc: bytecode of another Lua, or damaged: ")))
--> @cut.lc: bytecode of another Lua, or damaged: 
local function reader(text)
  local given
  return function() if not given then given = true return text end end
end
print(load(reader(bad)))
--> nil	bytecode has to come as a whole, since it is verified
print(load(reader("return 7"))())
--> 7
