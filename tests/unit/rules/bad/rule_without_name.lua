rule { key = { "host" } }
--! 1:1: rule takes a name and a table: rule "team/name" { ... }
