# Warnings are errors in every preset, so a warning never becomes a habit.
# The words of gcc count: clang, which only builds the fuzz targets, has others.
add_library(tw_warnings INTERFACE)
target_compile_options(tw_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wwrite-strings -Wundef -Wformat=2 -Wvla
  -Werror -fvisibility=hidden
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  $<$<C_COMPILER_ID:Clang>:-Wno-error>)
target_compile_definitions(tw_warnings INTERFACE _GNU_SOURCE)
