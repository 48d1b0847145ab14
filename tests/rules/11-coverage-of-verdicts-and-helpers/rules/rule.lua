local helpers = {}
function helpers.slow(e)
  return e.ms > 500
end
function helpers.never(e)
  return e.ms > 5000
end
local function odd(e)
  if e.code == 1 then
    return helpers.never(e)
  end
  return helpers.slow(e)
end

rule "shop/slow" {
  key = { "service" },
  inputs = { req = from "requests" { where = function(e) return odd(e) end } },
  detect = level { of = count "req", over = "1m", crit = { at_least = 1 } },
  alert = incident {},
}
rule "shop/helped" {
  key = { "service" },
  inputs = { scaled = from "events" {}, ms = from "requests" {} },
  detect = impact { event = "scaled", metric = { "ms", "ms" }, before = "1m", after = "1m" },
  alert = incident { when = "not better" },
}
test "slow ones, and an event that changes nothing" {
  rule = "shop/slow", also = { "shop/helped" },
  feed = {
    { "0s..2m/5s", "requests", { service = "cart", ms = 100 } },
    { "1m", "events", { service = "cart" } },
    { "90s", "requests", { service = "pay", ms = 501 } },
  },
  expect = { { "90s", "crit", { service = "pay" } }, { "2m", "crit", { service = "cart" } } },
}
