-- A zone whose hosts fail one by one: the first is told, a summary stands for the others until the last of them is up.
rule "fleet/host_down" {
  key = { "host" },
  inputs = { state = from "health" {} },
  detect = change { "state", of = "state", to = "down", initial = "up" },
  alert = incident {
    id = "down:${host}", title = "${host} is down", labels = { zone = "${zone}" },
    storm = { max = 1, per = "1m", by = { "zone" } },
  },
}

test "a summary ends with the last host that it stands for" {
  rule = "fleet/host_down",
  feed = {
    { "0s..9s/1s", "health", { host = function(i) return "h" .. i end, zone = "z1", state = "down" } },
    { "20s..25s/1s", "health", { host = function(i) return "h" .. (20 + i) end, zone = "z1", state = "down" } },
    { "2m..2m9s/1s", "health", { host = function(i) return "h" .. i end, zone = "z1", state = "up" } },
    { "2m55s..3m/1s", "health", { host = function(i) return "h" .. (20 + i) end, zone = "z1", state = "up" } },
  },
  until_ = "10m",
  expect = {
    { "0s", "crit", { host = "h1" } },
    { "11s", "summary", { zone = "z1", open = 9, title = "9 more of fleet/host_down (zone z1): h2, h3, h4, ..." } },
    { "1m", "summary", { stands_for = 15, open = 15 } },
    { "2m", "ok", { host = "h1" } },
    { "3m", "ok", { storm = true, zone = "z1", open = 0 } },
  },
  vary = { "duplicate", "restart@5s", "restart@15s", "restart@30s", "restart@2m5s", "reload@30s", "lanes" },
}

test "the output tells a summary's end from another" {
  rule = "fleet/host_down",
  feed = {
    { "0s", "health", { host = "h1", zone = "z1", state = "down" } },
    { "1s", "health", { host = "h2", zone = "z1", state = "down" } },
    { "30s", "health", { host = "h2", zone = "z1", state = "up" } },
  },
  expect = {
    { "0s", "crit" }, { "11s", "summary" }, { "30s", "summary" },
  },
}
