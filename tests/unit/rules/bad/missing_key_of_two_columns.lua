rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "1m", expect = { table = "inventory", key = { "a", "b" } } },
  alert = incident { title = "x" },
}
--! 4:74: key names the columns that make the rule's key, as many as it has fields (1)
