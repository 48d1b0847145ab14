rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, x = from "requests" {} },
  detect = join { "ev", "x", within = "0s" },
  alert = incident {},
}

rule "a/c" {
  key = { "host" },
  inputs = { ev = from "events" {}, x = from "requests" {} },
  detect = join { "ev", "x", within = { before = "0s", after = "0s" } },
  alert = incident {},
}
--! 4:30: within must be longer than zero: how far apart the events of a pair may be
--! 11:30: within must be longer than zero: how far apart the events of a pair may be
