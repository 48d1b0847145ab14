rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = { of = 1 },
  alert = incident { title = "${value}" },
}
--! 4:3: detect is level { ... }, join { ... }, together { ... }, handler { ... }, change { ... }, session { ... }, measure { ... }, seq { ... }, missing { ... } or impact { ... }, not a table
