# SPDX-License-Identifier: Apache-2.0
# What the scripts beside this file share; they source it from the root of the tree.

jobs=$(nproc)

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# build_preset NAME: configures and builds; silent unless it fails, the log is build/NAME.log.
build_preset() {
    local launcher=() log=build/$1.log
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    mkdir -p build
    if ! { cmake --preset "$1" "${launcher[@]}" && cmake --build "build/$1" -j "$jobs"; } \
        >"$log" 2>&1; then
        grep -E -A4 'error|FAILED|CMake Error' "$log" | head -n 60 >&2 || tail -n 40 "$log" >&2
        say "building preset $1 failed; its log is $log"
        return 1
    fi
}

# Sanitizers of this compiler want their shadow memory where some kernels put the program.
fixed_addresses=()
if setarch -R true 2>/dev/null; then
    fixed_addresses=(setarch -R)
fi
