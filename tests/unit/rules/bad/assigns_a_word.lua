count = 5
--! 1:1: 'count' belongs to the environment and cannot be assigned
