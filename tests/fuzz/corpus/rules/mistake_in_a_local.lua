local errors = count("ev", { code = gte() })
local function alert(what)
  return incident {
    titel = what,
  }
end
rule "a/b" {
  key = { "host" }, inputs = { ev = from "events" {} },
  detect = level { of = errors, over = "5m", crit = { above = 5 } },
  alert = alert "x",
}
--! 1:30: gte takes one value, not 0
--! 4:5: 'titel' is not an option of incident (did you mean 'title'?)
