test "x" { rule = "a/b", until = "5m" }
--! 1:26: unexpected symbol near 'until'; 'until' is a word of Lua: the option is until_
