rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = { of = 1 },
  alert = incident { title = "${value}" },
}
--! 4:3: detect is level { ... }, join { ... }, together { ... }, handler { ... }, change { ... }, session { ... }, measure { ... } or seq { ... }, not a table
