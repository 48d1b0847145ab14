# tw_embed(TARGET FILE SYMBOL): compiles FILE into TARGET as `const char SYMBOL[]` (NUL at the
# end) and `const size_t SYMBOL_size`, so that Lua stays in .lua files and ships in the binary.
function(tw_embed target file symbol)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embed_${symbol}.c)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DIN=${file} -DOUT=${out} -DSYMBOL=${symbol}
            -P ${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake
    DEPENDS ${file} ${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake)
  target_sources(${target} PRIVATE ${out})
endfunction()
