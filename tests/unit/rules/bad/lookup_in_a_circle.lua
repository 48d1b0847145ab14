rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${a.name}" },
  enrich = {
    a = lookup { "inventory", key = "${c.name}" },
    b = lookup { "inventory", key = "x/${a.name}" },
    c = lookup { "service_owner", key = "b.name" },
    d = lookup { "service_owner", key = "a.name" },
  },
}
--! 7:5: the key of look-up 'a' is made of its own row, by way of other look-ups: they go round in a circle
