local s = "ÿ"
--! 1:0: not UTF-8
