# SPDX-License-Identifier: Apache-2.0
"""A handler that does what its events say, and random events for it: what models/handler.py judges."""
TIME, VARIANTS = "ts", 12


def RULES(rng):
    v = {"many": rng.randint(2, 4), "rounds": rng.randint(1, 4)}
    v["text"] = '''local severity = { [0] = "info", "warn", "crit" }
local every = { a = "3137ms", b = "7301ms", c = "2s" }
local function fire(ctx) ctx.fire { severity = severity[(ctx.state.get("n") or 0) %% 3] } end
rule "model/handler" {
  key = { "k" }, clock = { time = "ts", idle = "1h" }, forget = "11111ms",
  inputs = { ev = from "events" { to = "ev" }, other = from "events" { to = "other" } },
  detect = handler {
    on_event = function(e, ctx)
      if ctx.input == "other" then ctx.state.set("seen", { at = ctx.now }) return end
      if e.op == "count" then
        if ctx.state.incr("n", e.x) >= %(many)d then fire(ctx) end
      elseif e.op == "expire" then
        if ctx.state.get("n") then ctx.state.expire("n", "4s") end
      elseif e.op == "clear" then ctx.state.set("n", nil)
      elseif e.op == "timer" then ctx.timer(e.t, every[e.t])
      elseif e.op == "cancel" then ctx.timer(e.t, nil)
      elseif e.op == "fire" then fire(ctx)
      elseif e.op == "fail" then ctx.state.incr("n") error("as if it were wrong")
      elseif e.op == "seen" then
        local seen = ctx.state.get("seen")
        if seen and ctx.now - seen.at <= 5000 then fire(ctx) end
      else ctx.resolve() end
    end,
    on_timer = function(name, ctx)
      if name == "b" then
        if ctx.state.incr("rounds") < %(rounds)d then ctx.timer("b", every.b) else ctx.state.set("rounds", nil) end
        fire(ctx)
      elseif (ctx.state.get("n") or 0) > 1 then ctx.state.incr("n", -2) fire(ctx)
      elseif name == "a" then ctx.resolve() end
    end,
  },
  alert = incident {},
}''' % v
    return v


def events(rng, key):
    time = rng.randint(0, 40) * 500
    for _ in range(rng.randint(1, 40)):
        time += rng.choice([500, 500, 1000, 1500, 4000, 4000, 12_000])
        op = rng.choice(["count", "count", "count", "expire", "clear", "timer", "timer", "cancel", "fire", "resolve", "fail", "seen"])
        yield time, "events", {"ts": time, "to": rng.choice(["ev"] * 6 + ["other"]), "op": op, "x": rng.randint(1, 2), "t": rng.choice("abc")}
