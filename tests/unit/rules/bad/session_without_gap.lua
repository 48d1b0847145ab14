rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = session { max = "5s" },
  alert = incident { title = "x" },
}
--! 4:3: session needs gap = "10m": the silence that ends it
