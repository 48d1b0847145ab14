local t = {}
for i = 1, 1e9 do t[i] = ("x"):rep(100000) .. i end
--! 2:0: needed more than its 32 MiB of memory
