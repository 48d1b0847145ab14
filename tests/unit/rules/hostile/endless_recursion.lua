local function f() return 1 + f() end
f()
--! 1:0: ran out of memory more than 5000 calls deep: a recursion without an end?
