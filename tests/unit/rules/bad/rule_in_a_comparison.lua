local x = count "a" < count "b"
--! 1:0: attempt to compare two table values
