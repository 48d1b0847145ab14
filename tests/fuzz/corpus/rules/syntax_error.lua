rule "a/b" {
  key = ,
}
--! 2:9: unexpected symbol near ','
