rule "team/types" {
  key    = { "service" },
  inputs = { ev = from "orders" { code = "500", ok = oneof(1, 2), tags = "a", service = gte(5), labels = has("x"),
                                  host = except(7), ["detail.kind"] = null, note = 5, ["labels.x"] = 1 },
             up = from "orders" { code = prefix "5", ["tags[0]"] = "a", service = matches "x", ok = exists() } },
  detect = level { of = avg("ev", "host"), over = "5m", crit = { above = 3 } },
  alert  = incident {},
}
--! 3:35: 'code' is declared as a number by stream 'orders', and this matches text
--! 3:49: 'ok' is declared as true or false by stream 'orders', and this matches a number
--! 3:67: 'tags' is declared as a list by stream 'orders', and this matches text
--! 3:79: 'service' is declared as text by stream 'orders', and this matches a number
--! 3:97: 'labels' is declared as a map by stream 'orders', and this matches a list
--! 4:49: 'host' is declared as text by stream 'orders', and this matches a number
--! 5:35: 'code' is declared as a number by stream 'orders', and this matches text
--! 6:35: 'host' is declared as text by stream 'orders', and this takes a number
