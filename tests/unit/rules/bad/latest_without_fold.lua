rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = latest("ev", "v", "instance"), crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
--! 4:20: latest is a number for each sub-key; say what of them: sum(latest(...)), or avg, min, max, count
