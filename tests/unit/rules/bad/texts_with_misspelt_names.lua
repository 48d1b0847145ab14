rule "a/b" {
  key = { "host" },
  inputs = { hb = from "events" { service = exists() } },
  detect = missing { "hb", every = "5m" },
  alert = incident { title = "${silnt} ${last_sen} ${sevice}", labels = { a = "${levle}" } },
}

rule "a/c" {
  key = { "host" },
  inputs = { a = from "events" {}, b = from "events" {} },
  detect = join { "a", "b", within = "5m" },
  alert = incident { title = "${letf.x} ${rigth.x} ${from}" },
}
--! 5:22: warning: 'last_sen' is read as a field of the event (did you mean 'last_seen'?); where the event has no such field the text has a hole
--! 5:22: warning: 'sevice' is read as a field of the event (did you mean 'service'?); where the event has no such field the text has a hole
--! 5:22: warning: 'silnt' is read as a field of the event (did you mean 'silent'?); where the event has no such field the text has a hole
--! 5:75: warning: 'levle' is read as a field of the event (did you mean 'level'?); where the event has no such field the text has a hole
--! 12:22: warning: 'letf.x' is read as a field of the event (did you mean 'left'?); where the event has no such field the text has a hole
--! 12:22: warning: 'rigth.x' is read as a field of the event (did you mean 'right'?); where the event has no such field the text has a hole
