-- Labels: one name for a whole function, again in another one, at the end of a block.
local function loop(n)
  for i = 1, n do
    for j = 1, n do
      if i == j then goto continue end
      if i > j then goto next else goto continue end
      ::continue::
    end
    ::next:: ;
  end
  local a = 1
  do goto continue end
  ::continue:: print(a)
  goto done
  ::done::
end
do
  local i = 1
  ::top:: ; ; ;
  i = i + 1
  if i < 10 then if i ~= 5 then goto top end end
  if true then goto top end
end
while true do if false then break end if nil then break end if true then break; end if 1 then break end end
while loop do if x then break; print(1) end break print(2) end
for i = 1, 2 do if i then; ; goto continue end if i then ;break end if i then x() else ;break end ::continue:: end
; ; ;
return loop;
