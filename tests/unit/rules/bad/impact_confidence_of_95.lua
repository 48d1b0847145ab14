rule "a/b" {
  key = { "host" },
  inputs = { up = from "events" {}, m = from "requests" {} },
  detect = impact { event = "up", metric = { "m", "v" }, before = "1m", after = "1m", confidence = 95, effect = -1, min = 1 },
  alert = incident { title = "x" },
}
--! 4:87: confidence lies between 0 and 1: 0.95
--! 4:104: effect is a share of the mean before, 0.1 for a tenth; it is not below zero
--! 4:117: min is a whole number from 2 to 1000000
