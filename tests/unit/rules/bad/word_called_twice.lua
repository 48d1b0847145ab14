rule "a/b" {} {}
--! 1:1: 'rule' is called once too often
