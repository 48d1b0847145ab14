local x = nil
local y = x.y
--! 2:11: attempt to index a nil value (local 'x')
