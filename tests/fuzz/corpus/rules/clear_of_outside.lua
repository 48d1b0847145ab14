rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { outside = { 10, 90 }, clear = { 5, 80 } } },
  alert = incident { title = "${value}" },
}
--! 4:81: clear must lie within outside: the level ends when the value is back between both
