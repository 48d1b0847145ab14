rule "a/b" {
  key = { "host" },
  inputs = { up = from "events" {}, m = from "requests" {} },
  detect = impact { event = "upp", metric = { "mm", "v" }, before = "1m", after = "1m" },
  alert = incident { title = "x" },
}
--! 4:21: 'upp' is not an input of the rule (did you mean 'up'?)
--! 4:47: 'mm' is not an input of the rule (did you mean 'm'?)
