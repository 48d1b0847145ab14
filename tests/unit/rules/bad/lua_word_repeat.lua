rule "a/b" {
  repeat = "4h",
}
--! 2:3: unexpected symbol near 'repeat'; 'repeat' is a word of Lua, and no option is called so; a field is written ["repeat"] = ...
