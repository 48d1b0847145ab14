rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "1m", expect = { table = "inventroy" } },
  alert = incident { title = "x" },
}
--! 4:53: there is no table 'inventroy' (did you mean 'inventory'?)
