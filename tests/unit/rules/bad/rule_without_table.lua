rule "a/b"
--! 1:1: rule "a/b" is without its table { ... }
