rule "a/close" {
  key = { "k" }, inputs = { ev = from "events" {} },
  detect = session {
    gap = "5s", max = "12s", split_on = "ver", of = { sum = sum("ev", "x"), rate = rate "ev" },
    where = function(s) return s.count > 1 and s.stop > s.start end,
  },
  alert = incident { severity = "info", title = "${closed}: ${count} ${sum} ${first.host}-${host}" },
}
rule "a/first" {
  key = { "k" }, inputs = { ev = from "events" {} },
  detect = session { gap = "5s", emit = "first" },
  alert = incident { title = "${count} ${start} ${closed}", when = function(v) return v.count > 1 end },
}
