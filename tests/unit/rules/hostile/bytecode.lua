Lua
--! 1:0: byte 0x1B: compiled Lua is not accepted
