rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident { title = "${value}" },
  onwer = "me",
}
--! 6:3: 'onwer' is not an option of rule (did you mean 'owner'?)
