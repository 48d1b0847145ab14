rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = session { "ev", gap = "5m", split = "version" },
  alert = incident { title = "x" },
}
--! 4:22: session takes options by name, not a list
--! 4:40: 'split' is not an option of session (did you mean 'split_on'?)
