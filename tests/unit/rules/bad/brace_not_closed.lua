rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {},

--! 3:36: unexpected symbol near <eof>
