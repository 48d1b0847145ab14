rule "a/b" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "requests" {}, c = from "events" { x = 1 } },
  detect = seq { "a", { "bb" }, within = "5m" },
  alert = incident {},
}
--! 4:25: 'bb' is not an input of the rule (did you mean 'b'?)
