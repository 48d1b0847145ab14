for i = 1, 20000 do rule("a/" .. i) {} end
--! 1:0: a file may declare 10000 rules
