rule "team/strict" {
  key    = { "host" },
  inputs = { ev = from "orders" {}, up = from "orders" {} },
  detect = level { of = count "ev", over = "5m", crit = { above = 3 } },
  enrich = { owner = lookup { "service_owner", key = "servce" } },
  alert  = incident { id = "x:${hst}", title = "${first.cde} ${labels.a.b} ${note.anything}", labels = { a = "${regoin}" } },
  emit   = to "told" { region = "${region}" },
}
--! 5:48: stream 'orders' is strict and declares no field 'servce' (did you mean 'service'?)
--! 6:23: stream 'orders' is strict and declares no field 'hst' (did you mean 'host'?)
--! 6:40: stream 'orders' is strict and declares no field 'cde' (did you mean 'code'?)
--! 6:106: stream 'orders' is strict and declares no field 'regoin'
--! 7:24: stream 'orders' is strict and declares no field 'region'
