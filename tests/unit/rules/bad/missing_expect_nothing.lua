rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "1m", expect = {} },
  alert = incident { title = "x" },
}
--! 4:42: expect is { table = "name", where = { ... } } or { learn = "24h" }
