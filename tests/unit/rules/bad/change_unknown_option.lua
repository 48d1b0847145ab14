rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = change { "ev", of = "state", form = "up" },
  alert = incident { title = "x" },
}
--! 4:41: 'form' is not an option of change (did you mean 'from'?)
