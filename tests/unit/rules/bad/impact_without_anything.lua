rule "a/b" {
  key = { "host" },
  inputs = { up = from "events" {}, m = from "requests" {} },
  detect = impact {  },
  alert = incident { title = "x" },
}
--! 4:3: impact needs after = "10m"
--! 4:3: impact needs before = "5m"
--! 4:3: impact needs event = "input"
--! 4:3: impact needs metric = { "input", "field" }
