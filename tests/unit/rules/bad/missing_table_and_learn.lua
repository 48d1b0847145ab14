rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "1m", learn = "1h", expect = { table = "inventory" } },
  alert = incident { title = "x" },
}
--! 4:42: who is expected is learned, or a table says so; take one
