local function f() while true do end end
while true do pcall(f) end
--! 1:0: ran past its CPU budget of 1000 ms
