rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = session { gap = "5m", emit = "each" },
  alert = incident { title = "x" },
}
--! 4:34: emit is one of "close", "first", not "each"
