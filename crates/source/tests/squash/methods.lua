-- self, with and without parameters, in closures, as a local's name.
local m = {n = {}}
function m:none() return self end
function m:some(a, b) return self.x, a, b, self[a] end
function m:more(...) return self, ... end
function m:unused(a) return a end
function m.n:deep(self2) self.k = self2; return function() return self end end
function m:hides(self) return self end
function m.plain(self, a) return self:some(a) end
function m:shadow() local self = self; return self end
local self = m
function m:loop() for _, v in ipairs(self) do self:some(v) end end
return self
