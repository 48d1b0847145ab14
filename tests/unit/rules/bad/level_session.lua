rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", gap = "5m", max = "2h", zone = "UTC", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
rule "a/c" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", gap = "5m", max = "1m", full = true, at = "ev", crit = { above = 5 } },
  alert = incident { title = "${value}" },
}
rule "a/d" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = measure { of = count "ev", every = "5m", max = "10m", at = "ev" },
  emit = to "other" {},
}
--! 4:50: gap makes sessions, which are windows of their own; take it or over
--! 4:74: zone is for windows of whole days: every = "1d", "7d"
--! 10:49: max is shorter than gap, which then never ends a session
--! 10:61: full is for windows of one length; a session has none
--! 10:74: at is for windows that are judged at events; this one is judged when it ends
--! 16:53: max is how long a session may last; that needs gap = "10m"
--! 16:66: at is for windows that are judged at events; this one is judged when it ends
