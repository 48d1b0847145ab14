local s = ("a"):rep(30000)
return s:find(("a-"):rep(30) .. "b")
--! 2:0: ran past its CPU budget of 1000 ms
