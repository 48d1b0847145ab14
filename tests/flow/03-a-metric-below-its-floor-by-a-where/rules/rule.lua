rule "infra/free_disk" {
  key = { "instance", "device" },
  inputs = { m = from "metrics" { name = "disk_free_ratio", where = function(e) return e.device ~= "loop0" end } },
  detect = level { of = last("m", "value"), warn = { below = 0.2 }, crit = { below = 0.1, hold = "30s" } },
  alert = incident { route = "ops", title = "${instance} ${device}: ${value} free (${level})" },
}
