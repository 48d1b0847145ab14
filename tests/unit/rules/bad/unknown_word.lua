rule "a/b" {
  inputs = { ev = form "events" {} },
}
--! 2:19: attempt to call a nil value (global 'form') (did you mean 'from'?)
