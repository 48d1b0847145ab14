rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = change { "ev", hold = "5s" },
  alert = incident { title = "x" },
}
--! 4:3: change needs of = "field": what is watched
