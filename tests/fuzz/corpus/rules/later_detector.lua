rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = seq {
    { "ev", as = "d" },
  },
  alert = incident { title = "${value}" },
}
--! 4:12: 'seq' is not supported yet
