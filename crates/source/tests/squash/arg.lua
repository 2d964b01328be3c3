-- In 5.1 a vararg function has a hidden local `arg`.
local arg = 1
local function hidden(...) return arg end
local function shown(a) return arg, a end
local function own(...) local arg = ... return arg end
local function parameter(arg, ...) return arg end
local function nested(...) return function() return arg end end
local function around(arg) return function(...) return arg end end
local function inner(...) local b = 1; return function() local arg = b return arg end end
return arg, ..., hidden, shown, own, parameter, nested, around, inner
