local x = 1
--! 1:0: the file declares nothing; it needs at least one rule "team/name" { ... }
