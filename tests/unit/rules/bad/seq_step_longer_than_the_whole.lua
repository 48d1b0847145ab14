rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, x = from "requests" {} },
  detect = seq { "ev", { "x", within = "10m" }, within = "5m" },
  alert = incident {},
}

rule "a/c" {
  key = { "host" },
  inputs = { ev = from "events" {}, x = from "requests" {} },
  detect = seq { "ev", { "x", within = "0s" }, { "ev", as = "e" }, within = "0s" },
  alert = incident {},
}
--! 4:24: the step's within is longer than that of the whole sequence, which counts from the first event: the match is over before
--! 11:31: within must be longer than zero
--! 11:68: within must be longer than zero
