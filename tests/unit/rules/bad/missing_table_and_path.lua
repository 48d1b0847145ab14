rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = path "ttl", expect = { table = "inventory" } },
  alert = incident { title = "x" },
}
--! 4:59: every = path ... does not go with a table: of keys that never came nobody knows how often they should; write every = "60s"
