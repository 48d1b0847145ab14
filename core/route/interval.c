// SPDX-License-Identifier: Apache-2.0
/* Ranges sorted by their lower bound, seen as a balanced tree (the middle of a span is
 * its root); each root knows the highest upper bound of its span. A span whose highest
 * upper bound lies below v, or whose lower bounds lie above it, is left out whole.
 * (Cormen et al., interval trees, laid out in an array.) */
#include "route/interval.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

typedef struct range {
    double low, high, span_high;
    uint32_t target;
} range;

struct tw_intervals {
    range *ranges;
    uint32_t count, cap;
};

tw_intervals *tw_intervals_new(void)
{
    return tw_alloc(sizeof(tw_intervals));
}

void tw_intervals_free(tw_intervals *x)
{
    if (!x)
        return;
    tw_free(x->ranges);
    tw_free(x);
}

void tw_intervals_add(tw_intervals *x, double low, double high, uint32_t target)
{
    if (x->count == x->cap) {
        x->cap = x->cap ? x->cap * 2 : 16;
        x->ranges = tw_realloc(x->ranges, x->cap * sizeof *x->ranges);
    }
    x->ranges[x->count++] = (range){.low = low, .high = high, .target = target};
}

static int by_low(const void *a, const void *b)
{
    const range *l = a, *r = b;
    if (l->low != r->low)
        return l->low < r->low ? -1 : 1;
    return (l->target > r->target) - (l->target < r->target);
}

static double set_span_high(range *ranges, uint32_t from, uint32_t to)
{
    if (from == to)
        return -INFINITY;
    uint32_t middle = from + (to - from) / 2;
    double left = set_span_high(ranges, from, middle);
    double right = set_span_high(ranges, middle + 1, to);
    ranges[middle].span_high = fmax(ranges[middle].high, fmax(left, right));
    return ranges[middle].span_high;
}

void tw_intervals_finish(tw_intervals *x)
{
    if (x->count > 1)
        qsort(x->ranges, x->count, sizeof *x->ranges, by_low);
    set_span_high(x->ranges, 0, x->count);
}

static uint32_t find_in_span(const range *ranges, uint32_t from, uint32_t to, double v,
                             uint32_t *out)
{
    uint32_t found = 0;
    while (from < to && ranges[from].low <= v) {
        uint32_t middle = from + (to - from) / 2;
        const range *m = &ranges[middle];
        if (m->span_high < v)
            break;
        found += find_in_span(ranges, from, middle, v, out + found);
        if (m->low > v)
            break;
        if (m->high >= v)
            out[found++] = m->target;
        from = middle + 1;
    }
    return found;
}

uint32_t tw_intervals_find(const tw_intervals *x, double v, uint32_t *out)
{
    return find_in_span(x->ranges, 0, x->count, v, out);
}
