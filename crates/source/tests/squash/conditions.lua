-- Nested ifs, constants as conditions.
local a, b, c = ...
if a then if b then f() end end
if a or b then if c then f() end end
if a then if b or c then if a or c then f() end end end
if a == b then if not c then f() end end
if a and b then if b and c then f() end end
if a then if b then f() else g() end end
if a then if b then f() end else g() end
if a then f() else if b then g() end end
if a then f() elseif b then g() else if c then h() elseif a then i() else j() end end
if a then f() else if b or c then if c or a then g() end end end
if a then f() else if b then g() end h() end
if nil then if a then f() end end
if false then if a then f() end end
if a and nil then if b then f() end end
if a or false then if b then f() end end
if "x" and (... or nil) then if b then f() end end
if not nil then if not a then f() end end
if not 1 then if b then f() end end
if (a and nil) then if b then f() end end
if true then if a then f() end end
if 1 then if true then f() elseif false then g() end end
if a then if "x" then f() end end
while true do if a then break end end
while true do if a then if b then break end end end
while false do end
while nil do end
repeat until false
repeat until nil
repeat local x = a until x or true
for i = 1, 10, 1 do for i = 1, 10, 2 do if true then break end end end
for i = 10, 1, -1 do while a do if b then break else f() end end end
if a then local x if b then local y = x end end
if a then do local x = 1 end end
if a then return end
