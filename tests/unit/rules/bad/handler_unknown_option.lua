rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = handler { on_event = function() end, on_timr = function() end },
  alert = incident { title = "${value}" },
}
--! 4:49: 'on_timr' is not an option of handler (did you mean 'on_timer'?)
