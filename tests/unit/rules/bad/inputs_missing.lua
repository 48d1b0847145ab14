rule "a/b" {
  key = "host",
  detect = level { of = 1, over = "5m", crit = { above = 1 } },
  alert = incident {},
}
--! 1:1: a rule needs inputs = { name = from "stream" {} }
--! 3:20: 'value' is always the same; it needs an aggregate
