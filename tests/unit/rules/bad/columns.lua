rule "team/columns" {
  key    = { "host" },
  inputs = { ev = from "events" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 3 } },
  enrich = { duty  = lookup { "staff", key = "${owner.taem}" },
             owner = lookup { "staff", key = "host", miss = { chat = "#sre", desk = { floor = 3 } } },
             other = lookup { "service_owner", key = "${owner.on_cal}" } },
  alert  = incident { title  = "${owner.team} ${owner.chat} ${owner.desk.floor} ${owner.stat} ${other.anything}",
                      route  = "${duty.tem}",
                      labels = { on_call = "${owner.oncall}" } },
  emit   = to "told" { team = "${owner.team}", room = "${owner.room}" },
}
--! 5:40: table 'staff' has no column 'taem' (did you mean 'team'?)
--! 7:48: table 'staff' has no column 'on_cal' (did you mean 'on_call'?)
--! 8:23: table 'staff' has no column 'stat' (did you mean 'state'?)
--! 9:23: table 'staff' has no column 'tem' (did you mean 'team'?)
--! 10:34: table 'staff' has no column 'oncall' (did you mean 'on_call'?)
--! 11:48: table 'staff' has no column 'room'
