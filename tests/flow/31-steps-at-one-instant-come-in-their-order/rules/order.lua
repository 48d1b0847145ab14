rule "a/order" {
  key = { "k" }, clock = { time = "ts", lateness = "10s" },
  inputs = { a = from "one" { kind = "third" }, b = from "two" {}, c = from "one" { kind = "first" } },
  detect = seq { "c", { "b", strict = true }, { "a", strict = true }, within = "1m" },
  alert = incident { id = "${k}", title = "${c.n} ${b.n} ${a.n}" },
}
