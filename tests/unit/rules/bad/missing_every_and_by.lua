rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "1m", by = "03:00" },
  alert = incident { title = "x" },
}
--! 4:42: every and by are two ways to say when; take one
