rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 5 } },
  alert = incident {
    group = { by = 5 },
    storm = { mx = 5, per = "5m" },
    flap = { max = 3 },
    resolve = { after = "1h" },
    notify = "down",
    inhibited_by = { level = "warn" },
    active = { days = "mon-fry" },
    remind = "10ms",
  },
}
--! 6:15: by is a list of labels: { "zone" }, not a number
--! 7:15: 'mx' is not an option of storm (did you mean 'max'?)
--! 8:5: flap needs within: the time they are counted in (within = "10m")
--! 9:17: resolve.after is for detectors that tell occurrences; this one says by itself when it is over
--! 10:5: notify is one of "up", "changes", "first", not "down"
--! 11:5: inhibited_by needs either rule = "team/name" or match = { severity = "crit" }
--! 12:16: "mon-fry" is not days of the week; write "mon-fri" or "sat,sun"
--! 13:5: remind is at least a second
