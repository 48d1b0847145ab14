local x = P"a".b
--! 1:11: 'P' has no field 'b'
