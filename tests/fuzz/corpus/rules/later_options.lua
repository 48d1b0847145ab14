rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {
    group = { by = { "a" } }, storm = {}, flap = {}, resolve = {}, notify = "up",
    max_age = "5m", remind = "1h", inhibited_by = {}, active = {}, resolved = false,
  },
  dedup = { by = "id", within = "5m" }, was = "a/c",
}
--! 6:5: 'group' is not supported yet
--! 6:31: 'storm' is not supported yet
--! 6:43: 'flap' is not supported yet
--! 6:54: 'resolve' is not supported yet
--! 6:68: 'notify' is not supported yet
--! 7:5: 'max_age' is not supported yet
--! 7:21: 'remind' is not supported yet
--! 7:36: 'inhibited_by' is not supported yet
--! 7:55: 'active' is not supported yet
--! 7:68: 'resolved' is not supported yet
--! 9:3: 'dedup' is not supported yet
--! 9:41: 'was' is not supported yet
