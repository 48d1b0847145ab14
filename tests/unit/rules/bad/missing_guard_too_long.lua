rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {}, req = from "requests" {} },
  detect = missing { "ev", every = "1m", source_guard = "1m" },
  alert = incident { title = "x" },
}
--! 4:42: source_guard must be shorter than every and grace together; keys would be told before the source
