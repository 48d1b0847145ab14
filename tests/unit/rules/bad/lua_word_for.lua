rule "a/b" {
  key = {}, for = "5m",
}
--! 2:13: unexpected symbol near 'for'; 'for' is a word of Lua, and no option is called so; a field is written ["for"] = ...
