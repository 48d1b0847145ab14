// SPDX-License-Identifier: Apache-2.0
/* The nearest name, for error messages. Any thread, no memory kept. The distance is the
 * optimal string alignment form of Damerau-Levenshtein: insert, delete, replace, and swap
 * of neighbours (Boytsov, "Indexing methods for approximate dictionary searching", 2011).
 */
#include "base/nearest.h"

#include <string.h>

enum { LONGEST = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= nb; j++)
        above[j] = j;
    for (size_t i = 1; i <= na; i++) {
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = min3(above[j] + 1, row[j - 1] + 1, change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[nb];
}

const char *tw_nearest(const char *name, const char *const *names, size_t count)
{
    size_t n = strlen(name);
    size_t limit = n / 3 < 2 ? 2 : n / 3;
    const char *best = NULL;
    if (n > LONGEST)
        return NULL;
    /* A name that shares nothing is no hint: two changes turn any two letters into any
     * others. */
    if (limit >= n)
        limit = n ? n - 1 : 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        if (length > LONGEST)
            continue;
        size_t d = distance(name, n, names[i], length);
        if (d > limit || (best && d == limit))
            continue;
        best = names[i];
        limit = d;
    }
    return best;
}
