rule "a/b" { key = "host", inputs = { ev = from "events" {} }, alert = incident {} }
--! 1:1: a rule needs detect = level { ... }, join { ... }, together { ... }, handler { ... }, change { ... }, session { ... }, measure { ... }, seq { ... }, missing { ... } or impact { ... }
