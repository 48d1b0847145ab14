local n = 0
while true do n = n + 1 end
--! 2:0: ran past its CPU budget of 1000 ms
