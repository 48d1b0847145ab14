rule "a/b" {
  key = { "host" },
  inputs = { ev = from "events" {} },
  detect = handler { on_timer = function() end },
  alert = incident { title = "${value}" },
}
--! 4:3: handler needs on_event = function(e, ctx) ... end
