# TW_SANITIZE: comma-separated list for -fsanitize, set by the presets. A finding
# ends the program: one that only prints would pass its test.
set(TW_SANITIZE "" CACHE STRING "sanitizers, for example address,undefined")
if(TW_SANITIZE)
  add_compile_options(-fsanitize=${TW_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TW_SANITIZE})
endif()
option(TW_FUZZ "build the fuzz targets (needs clang)" OFF)
if(TW_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
