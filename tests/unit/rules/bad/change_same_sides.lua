rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = change { "ev", of = "state", from = "up", to = "up" },
  alert = incident { title = "x" },
}
--! 4:54: from and to are the same: that is no change
