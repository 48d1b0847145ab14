local t = { name = "x" }
t.t = t
rule "a/b" {
  key = t,
}
--! 3:0: tables of a rule may be nested 32 deep
