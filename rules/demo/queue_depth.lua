-- A metric rule: a level over a gauge that is scraped every second from the service's metrics endpoint.
rule "demo/queue_depth" {
  owner = "team-checkout",
  doc = "too many orders wait",
  params = { fire = 100, clear = 20 },
  key = { "service" },
  inputs = { queue = from "metrics" { name = "queue_depth" } },
  detect = level {
    of = last("queue", "value"),
    crit = { above = P"fire", clear = P"clear" },
  },
  alert = incident {
    id = "queue:${service}", route = "terminal",
    title = "${service}: over ${params.fire} orders wait in the queue",
  },
}
