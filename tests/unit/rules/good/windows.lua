local function window(name, options)
  options.of = options.of or count "ev"
  options.crit = { above = 5 }
  rule("windows/" .. name) {
    inputs = { ev = from "keyed" {} },
    detect = level(options),
    alert = incident {},
  }
end

window("sliding", { over = "5m", exact = 64 })
window("hopping", { over = "5m", every = "1m" })
window("tumbling", { every = "1m" })
window("tumbling_too", { over = "1m", every = "1m" })
window("counted", { last = 100, min = 10 })
window("blocks", { last = 100, every = 100 })
window("sessions", { gap = "10m", max = "2h" })
window("newest", { of = last("ev", "value") })
