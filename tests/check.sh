#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Would tools/check notice? Plants one offence of each kind in a tree of its own and expects the
# check to name its line, then expects silence about a clean tree.
set -euo pipefail
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/tools"
cp "$(dirname "$0")/../tools/check" "$tree/tools/"
cp "$(dirname "$0")/../.clang-format" "$tree/"
cd "$tree"
git init -q .

head='// SPDX-License-Identifier: Apache-2.0'
put() { # FILE LINE...: a file with its licence line and these lines
    mkdir -p "$(dirname "$1")"
    printf '%s\n' "$head" "${@:2}" >"$1"
}
expect() { # CHECK TEXT: the check fails and says so
    local out
    if out=$(tools/check "$1") || ! grep -qF "$2" <<<"$out"; then
        printf 'check %s did not say: %s\nit said:\n%s\n' "$1" "$2" "$out"
        exit 1
    fi
}
lines() { seq "$1" | sed 's/.*/    x++;/'; }

put core/detect/clean.c '#include "detect/clean.h"' '' '#include <stdint.h>' '' \
    '#include "base/err.h"' '#include "flow/event.h"'
put core/app.c '#include "alert/incident.h"' '#include "rule/rules.h"'
put plugins/kafka/kafka.c '#include <librdkafka/rdkafka.h>' '' '#include "kafka/part.h"' \
    '#include "tidewatch.h"'
tools/check >/dev/null || { tools/check; echo 'a clean tree is not clean'; exit 1; }

put core/detect/a.c '#include "alert/incident.h"'
expect layers 'core/detect/a.c:2: core/detect may not include "alert/incident.h"'
put core/detect/a.c '#include "app.h"'
expect layers 'core/detect/a.c:2: core/detect may not include "app.h": it is part of the wiring'
put core/detect/a.c '#include <uv.h>'
expect layers 'core/detect/a.c:2: <uv.h> belongs to core/host'
rm core/detect/a.c
put core/base/a.c '#include "flow/event.h"'
expect layers 'core/base may not include "flow/event.h"'
rm core/base/a.c
put plugins/file/a.c '#include "base/err.h"'
expect layers 'a plugin includes tidewatch.h and its own library, not "base/err.h"'
put plugins/file/a.c '#include "kafka/part.h"'
expect layers 'not "kafka/part.h"'
rm plugins/file/a.c

put core/flow/a.c 'int  a;'
expect format 'core/flow/a.c:2: clang-format changes 1 places'
put core/flow/a.c 'static void long_one(int x)' '{' "$(lines 79)" '}'
expect functions 'core/flow/a.c:2: 82 lines (80 at most): static void long_one(int x)'
put core/flow/a.c 'static void short_one(int x)' '{' "$(lines 70)" '}'
said=$(tools/check functions)
grep -qF 'note: 73 lines' <<<"$said" || { echo 'no note at 73 lines'; exit 1; }
put core/flow/a.c "$(seq 500 | sed 's/.*/int a&;/')"
expect files 'core/flow/a.c:500: 501 lines (500 at most)'
for call in 'strcpy(a, b)' 'atoi(a)' 'usleep(1)' 'time(NULL)'; do
    put core/flow/a.c "int x = $call;"
    expect banned "core/flow/a.c:2: ${call%%(*}"
done
put core/flow/a.c '/* strcpy(a, b) in words */' 'const char *a = "atoi(a)";'
tools/check banned >/dev/null || { echo 'words in comments and strings are no calls'; exit 1; }
put core/flow/a.c "/* TO""DO: later */"
expect open-ends 'core/flow/a.c:2: TO'
put core/flow/a.c 'const char *a = "/ho''me/ann";'
expect paths 'core/flow/a.c:2: names /ho'
echo 'int a;' >core/flow/a.c
expect licence 'core/flow/a.c:1: does not begin with its SPDX line'
printf '#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\nif\n' >tools/broken.sh
expect scripts 'tools/broken.sh:1: has no run bit'
expect scripts 'syntax error'
model() { # LINES: a model with so many lines of code, and what does not count
    printf '# SPDX-License-Identifier: Apache-2.0\n"""What it is,\nin two lines."""\n\n'
    seq "$1" | sed 's/.*/x = &  # why/;1s/^/# a comment\n/'
}
mkdir -p tests/models
model 100 >tests/models/a.py
model 101 >tests/models/judge.py
tools/check models >/dev/null || { tools/check models; echo 'a hundred lines are not too many'; exit 1; }
model 101 >tests/models/a.py
expect models 'tests/models/a.py:1: 101 lines of code (100 at most)'
printf '# %0120d\n' 0 >tests/models/a.py
expect models 'tests/models/a.py:1: 122 characters (120 at most)'
