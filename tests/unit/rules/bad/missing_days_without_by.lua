rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "1m", days = "mon-fri" },
  alert = incident { title = "x" },
}
--! 4:42: zone and days belong to by = "03:00"
