for _, name in ipairs { "cpu", "disk" } do
  rule("a/" .. name) {
    key = { "host" }, inputs = { ev = from "events" { name = name } },
    detect = level { of = count "ev", over = "5m", crit = { above = name } },
    alert = incident {},
  }
end
--! 4:61: above is a number, not a string
