rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", by = "3 am", zone = "Europe/Belrin", days = "weekend" },
  alert = incident { title = "x" },
}
--! 4:28: by: "3 am" is not a time of the day; write "03:00"
--! 4:41: zone: there is no time zone 'Europe/Belrin'; write it as in "Europe/Berlin" or "UTC"
--! 4:65: days: "weekend" is not days of the week; write "mon-fri" or "sat,sun"
