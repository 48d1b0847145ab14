rule "team/expected" {
  key    = { "team" },
  inputs = { hb = from "events" {} },
  detect = missing { "hb", every = "1m",
                     expect = { table = "staff", key = "taem", where = { stat = "on", any_of { { on_cal = true } } } } },
  alert  = incident {},
}

rule "team/expected_by_two" {
  key    = { "team", "region" },
  inputs = { hb = from "events" {} },
  detect = missing { "hb", every = "1m", expect = { table = "staff" } },
  alert  = incident {},
}
--! 5:50: table 'staff' has no column 'taem' (did you mean 'team'?)
--! 5:74: table 'staff' has no column 'stat' (did you mean 'state'?)
--! 5:98: table 'staff' has no column 'on_cal' (did you mean 'on_call'?)
--! 12:42: table 'staff' has no column 'region'
