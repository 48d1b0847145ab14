rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = change { "ev", of = "state", to = missing_field(), initial = {} },
  alert = incident { title = "x" },
}
--! 4:41: to is a value or a matcher of one that is there: to = "up" or to = oneof("up", "idle")
--! 4:63: initial is a string, a number, true, false or null, not a table
