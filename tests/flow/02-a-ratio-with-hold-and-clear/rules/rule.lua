rule "shop/error_ratio" {
  params = { fire = 0.25, clear = 0.1 },
  key = { "service" },
  inputs = { req = from "requests" {} },
  detect = level {
    of = count("req", { code = gte(500) }) / count "req",
    over = "1m", min = 4,
    warn = { above = P"fire", hold = "20s", clear = P"clear" },
  },
  alert = incident { id = "ratio:${service}", route = "ops", title = "${value} of ${service} fail" },
}
