rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "1m", graze = "1m" },
  alert = incident { title = "x" },
}
--! 4:42: 'graze' is not an option of missing (did you mean 'grace'?)
