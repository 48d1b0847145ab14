rule "a/b" {
  key = { "host" },
  inputs = { up = from "events" {}, m = from "requests" {} },
  detect = impact { event = "up", metric = { "m", "v" }, before = "1m", after = "1m" },
  alert = incident { when = "not good" },
}
--! 5:22: when: "not good" is not a choice of verdicts; write "worse", "not better" or "worse or unknown"
