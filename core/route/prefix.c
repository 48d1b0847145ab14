// SPDX-License-Identifier: Apache-2.0
/* Prefixes sorted bytewise. Every prefix of a text sorts at or before it, and whatever
 * lies between a prefix and the text starts with that prefix; so all prefixes of the text
 * are found by walking from the last entry not above the text along `next`, the nearest
 * entry before that starts it too: an equal one or a shorter one. `shorter` skips the
 * equal ones, so that a thousand rules with one prefix cost one comparison when it does
 * not fit. */
#include "route/prefix.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "route/filter.h"

#define NONE UINT32_MAX
#define FILTERED 16

typedef struct prefix {
    const char *text;
    uint32_t len, target;
    uint32_t next, shorter;
} prefix;

struct tw_prefixes {
    prefix *items;
    uint32_t count, cap;
    uint32_t shortest; /* length, FILTERED at most: what the filter looks at */
    tw_filter filter;  /* of the beginnings of that length */
};

tw_prefixes *tw_prefixes_new(void)
{
    return tw_alloc(sizeof(tw_prefixes));
}

void tw_prefixes_free(tw_prefixes *x)
{
    if (!x)
        return;
    tw_free(x->items);
    tw_filter_done(&x->filter);
    tw_free(x);
}

void tw_prefixes_add(tw_prefixes *x, const char *text, uint32_t n, uint32_t target)
{
    if (x->count == x->cap) {
        x->cap = x->cap ? x->cap * 2 : 16;
        x->items = tw_realloc(x->items, x->cap * sizeof *x->items);
    }
    x->items[x->count++] = (prefix){.text = text, .len = n, .target = target};
}

static int compare(const char *a, uint32_t a_len, const char *b, uint32_t b_len)
{
    uint32_t n = a_len < b_len ? a_len : b_len;
    int rc = n ? memcmp(a, b, n) : 0;
    return rc ? rc : (a_len > b_len) - (a_len < b_len);
}

static int by_text(const void *a, const void *b)
{
    const prefix *l = a, *r = b;
    int rc = compare(l->text, l->len, r->text, r->len);
    return rc ? rc : (l->target > r->target) - (l->target < r->target);
}

static bool starts(const prefix *p, const char *text, uint32_t n)
{
    return p->len <= n && memcmp(p->text, text, p->len) == 0;
}

static void fill_filter(tw_prefixes *x)
{
    x->shortest = FILTERED;
    for (uint32_t i = 0; i < x->count; i++)
        if (x->items[i].len < x->shortest)
            x->shortest = x->items[i].len;
    tw_filter_init(&x->filter, x->count);
    for (uint32_t i = 0; i < x->count; i++)
        tw_filter_add(&x->filter, tw_fold_text(x->items[i].text, x->shortest));
}

void tw_prefixes_finish(tw_prefixes *x)
{
    fill_filter(x);
    if (x->count > 1)
        qsort(x->items, x->count, sizeof *x->items, by_text);
    for (uint32_t i = 0; i < x->count; i++) {
        prefix *p = &x->items[i];
        uint32_t at = i == 0 ? NONE : i - 1;
        while (at != NONE && !starts(&x->items[at], p->text, p->len))
            at = x->items[at].shorter;
        p->next = at;
        p->shorter = at != NONE && x->items[at].len == p->len ? x->items[at].shorter : at;
    }
}

/* The number of entries that sort at or before text. */
static uint32_t count_up_to(const tw_prefixes *x, const char *text, uint32_t n)
{
    uint32_t from = 0, to = x->count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (compare(x->items[middle].text, x->items[middle].len, text, n) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

uint32_t tw_prefixes_find(const tw_prefixes *x, const char *text, uint32_t n,
                          uint32_t *out)
{
    if (n < x->shortest ||
        !tw_filter_may_hold(&x->filter, tw_fold_text(text, x->shortest)))
        return 0;
    uint32_t found = 0;
    uint32_t at = count_up_to(x, text, n);
    at = at == 0 ? NONE : at - 1;
    while (at != NONE && !starts(&x->items[at], text, n))
        at = x->items[at].shorter;
    for (; at != NONE; at = x->items[at].next)
        out[found++] = x->items[at].target;
    return found;
}
