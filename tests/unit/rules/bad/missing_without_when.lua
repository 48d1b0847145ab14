rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", grace = "1m" },
  alert = incident { title = "x" },
}
--! 4:20: missing needs every = "60s", every = path "ttl" or by = "03:00"
