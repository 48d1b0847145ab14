# SPDX-License-Identifier: Apache-2.0
# What the scripts beside this file share; they source it from the root of the tree.

jobs=$(nproc)

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# tell_progress: reads what ninja prints and tells how far it is, on one line of a terminal or every tenth.
tell_progress() {
    local line told=-1 percent
    while IFS= read -r line; do
        [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
        percent=$((100 * BASH_REMATCH[1] / BASH_REMATCH[2]))
        if [ -t 2 ]; then
            printf '\r%s: %d of %d files built' "$(basename "$0")" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >&2
        elif [ $((percent / 10)) != "$told" ]; then
            told=$((percent / 10))
            say "built $percent %"
        fi
    done
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

# build_preset NAME [TARGET]: configures and builds; the log is build/NAME.log. With a target only that, and
# how far it is is told.
build_preset() {
    local target=() log=build/$1.log built=0
    mkdir -p build
    if [ -n "${2:-}" ]; then
        target=(--target "$2")
    fi
    { cmake --preset "$1" && cmake --build "build/$1" -j "$jobs" "${target[@]}"; } 2>&1 |
        tee "$log" | { if [ -n "${2:-}" ]; then tell_progress; else cat >/dev/null; fi; } || built=1
    if [ $built != 0 ]; then
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
