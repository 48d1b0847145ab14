// SPDX-License-Identifier: Apache-2.0
/* The index over all match tables of one stream: a list of probes (a field and what waits
 * for its values), and the targets tried always. Invariant: a target that matches is
 * found by at least one probe or stands in `always`; what is found is checked in full,
 * but for the one condition the probe has proved. */
#include "route/router.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "route/exact.h"
#include "route/filing.h"
#include "route/interval.h"
#include "route/prefix.h"

#define NOTHING_PROVED UINT32_MAX

typedef struct target {
    tw_route_target name;
    const tw_match_table *match;
    uint32_t proved; /* the matcher its probe has shown to hold */
} target;

typedef struct probe {
    uint32_t slot;
    tw_exact *exact; /* any of the three */
    tw_intervals *ranges;
    tw_prefixes *prefixes;
} probe;

struct tw_router_builder {
    target *targets;
    uint32_t count, cap;
};

struct tw_router {
    probe *probes;
    uint32_t probe_count;
    target *targets; /* ascending by name */
    uint32_t target_count;
    uint32_t *always;
    uint32_t always_count;
    uint32_t found_max; /* candidates of one probe at most */
    uint32_t hits_max;  /* matches before repeats are taken out */
};

struct tw_route_scratch {
    uint32_t *found, *hits;
    tw_route_target *out;
    uint32_t found_cap, hits_cap, hits_count;
};

/* ---- building ---- */

tw_router_builder *tw_router_builder_new(void)
{
    return tw_alloc(sizeof(tw_router_builder));
}

void tw_router_builder_add(tw_router_builder *b, const tw_match_table *match,
                           tw_route_target name)
{
    if (b->count == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 16;
        b->targets = tw_realloc(b->targets, b->cap * sizeof *b->targets);
    }
    b->targets[b->count++] =
        (target){.name = name, .match = match, .proved = NOTHING_PROVED};
}

static int by_name(const void *a, const void *b)
{
    const target *l = a, *r = b;
    if (l->name.rule != r->name.rule)
        return l->name.rule < r->name.rule ? -1 : 1;
    return (l->name.input > r->name.input) - (l->name.input < r->name.input);
}

static probe *probe_of(tw_router *r, uint32_t slot)
{
    for (uint32_t i = 0; i < r->probe_count; i++)
        if (r->probes[i].slot == slot)
            return &r->probes[i];
    r->probes = tw_realloc(r->probes, (r->probe_count + 1) * sizeof *r->probes);
    probe *p = &r->probes[r->probe_count++];
    *p = (probe){.slot = slot};
    return p;
}

static void file_exact(tw_router *r, uint32_t number, const tw_match *m)
{
    probe *p = probe_of(r, m->slot);
    if (!p->exact)
        p->exact = tw_exact_new();
    for (uint32_t i = 0; i < m->value_count; i++)
        tw_exact_add(p->exact, m->values[i], number);
}

static void file_range(tw_router *r, uint32_t number, uint32_t slot)
{
    probe *p = probe_of(r, slot);
    double low, high;
    if (!p->ranges)
        p->ranges = tw_intervals_new();
    tw_filing_bounds(r->targets[number].match, slot, &low, &high);
    tw_intervals_add(p->ranges, low, high, number);
}

static void file_prefix(tw_router *r, uint32_t number, const tw_match *m)
{
    probe *p = probe_of(r, m->slot);
    if (!p->prefixes)
        p->prefixes = tw_prefixes_new();
    tw_prefixes_add(p->prefixes, m->values[0].s, m->values[0].len, number);
}

static void file_target(tw_router *r, uint32_t number, const tw_filing *f)
{
    target *t = &r->targets[number];
    const tw_match *m = f->kind == TW_FILED_ALWAYS ? NULL : &t->match->items[f->item];
    switch (f->kind) {
    case TW_FILED_ALWAYS:
        r->always[r->always_count++] = number;
        return;
    case TW_FILED_EXACT:
        t->proved = f->item;
        file_exact(r, number, m);
        return;
    case TW_FILED_RANGE:
        file_range(r, number, f->slot);
        return;
    case TW_FILED_PREFIX:
        t->proved = f->item;
        file_prefix(r, number, m);
        return;
    case TW_FILED_ANY_OF:
        for (uint32_t i = 0; i < m->table_count; i++)
            file_exact(r, number, &m->tables[i]->items[f->alternatives[i]]);
        return;
    }
}

static void finish_probes(tw_router *r)
{
    for (uint32_t i = 0; i < r->probe_count; i++) {
        probe *p = &r->probes[i];
        if (p->exact)
            tw_exact_finish(p->exact);
        if (p->ranges)
            tw_intervals_finish(p->ranges);
        if (p->prefixes)
            tw_prefixes_finish(p->prefixes);
    }
}

tw_router *tw_router_build(tw_router_builder *b)
{
    tw_router *r = tw_alloc(sizeof *r);
    r->targets = b->targets;
    r->target_count = b->count;
    tw_free(b);
    if (r->target_count > 1)
        qsort(r->targets, r->target_count, sizeof *r->targets, by_name);

    uint32_t count = r->target_count;
    const tw_match_table **tables = tw_calloc(count + 1, sizeof *tables);
    for (uint32_t i = 0; i < count; i++)
        tables[i] = r->targets[i].match;
    tw_filing *filings = tw_filings_choose(tables, count);
    r->always = tw_calloc(count + 1, sizeof *r->always);
    for (uint32_t i = 0; i < count; i++)
        file_target(r, i, &filings[i]);
    tw_filings_free(filings, count);
    tw_free(tables);
    finish_probes(r);
    r->found_max = count + 1;
    r->hits_max = (r->probe_count + 1) * count + 1;
    return r;
}

void tw_router_free(tw_router *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->probe_count; i++) {
        tw_exact_free(r->probes[i].exact);
        tw_intervals_free(r->probes[i].ranges);
        tw_prefixes_free(r->probes[i].prefixes);
    }
    tw_free(r->probes);
    tw_free(r->targets);
    tw_free(r->always);
    tw_free(r);
}

uint32_t tw_router_target_count(const tw_router *r)
{
    return r->target_count;
}

/* ---- matching ---- */

tw_route_scratch *tw_route_scratch_new(void)
{
    return tw_alloc(sizeof(tw_route_scratch));
}

void tw_route_scratch_free(tw_route_scratch *s)
{
    if (!s)
        return;
    tw_free(s->found);
    tw_free(s->hits);
    tw_free(s->out);
    tw_free(s);
}

/* Grows to what this router may need at most, once; after that an event allocates
 * nothing. */
static void make_room(tw_route_scratch *s, const tw_router *r)
{
    if (s->found_cap < r->found_max) {
        s->found = tw_realloc(s->found, r->found_max * sizeof *s->found);
        s->out = tw_realloc(s->out, r->found_max * sizeof *s->out);
        s->found_cap = r->found_max;
    }
    if (s->hits_cap < r->hits_max) {
        s->hits = tw_realloc(s->hits, r->hits_max * sizeof *s->hits);
        s->hits_cap = r->hits_max;
    }
}

static inline bool rest_holds(const target *t, uint32_t proved, const tw_event *ev)
{
    if (!t->match)
        return true;
    for (uint32_t i = 0; i < t->match->count; i++)
        if (i != proved && !tw_match_holds(&t->match->items[i], ev))
            return false;
    return true;
}

static void check_proved(const tw_router *r, const tw_event *ev, const uint32_t *found,
                         uint32_t count, tw_route_scratch *s)
{
    for (uint32_t i = 0; i < count; i++) {
        const target *t = &r->targets[found[i]];
        if (rest_holds(t, t->proved, ev))
            s->hits[s->hits_count++] = found[i];
    }
}

static void check_whole(const tw_router *r, const tw_event *ev, const uint32_t *found,
                        uint32_t count, tw_route_scratch *s)
{
    for (uint32_t i = 0; i < count; i++)
        if (rest_holds(&r->targets[found[i]], NOTHING_PROVED, ev))
            s->hits[s->hits_count++] = found[i];
}

/* As a double for the ranges; a number beyond their reach is as good as infinite. */
static bool number_for_ranges(tw_value v, double *out)
{
    if (tw_value_number(v, out))
        return true;
    if (v.type != TW_DECIMAL)
        return false;
    *out = v.len > 0 && v.s[0] == '-' ? -INFINITY : INFINITY;
    return true;
}

static void run_probe(const tw_router *r, const probe *p, const tw_event *ev,
                      tw_route_scratch *s)
{
    tw_value v = tw_event_slot(ev, p->slot);
    if (v.type == TW_ABSENT)
        return;
    if (p->exact) {
        const uint32_t *found;
        uint32_t n = tw_exact_find(p->exact, v, &found);
        if (n > 0)
            check_proved(r, ev, found, n, s);
    }
    double d;
    if (p->ranges && number_for_ranges(v, &d))
        check_whole(r, ev, s->found, tw_intervals_find(p->ranges, d, s->found), s);
    if (p->prefixes && v.type == TW_STRING)
        check_proved(r, ev, s->found, tw_prefixes_find(p->prefixes, v.s, v.len, s->found),
                     s);
}

/* Shell's sort (Ciura's gaps): in place, nothing allocated, quick on what is nearly
 * sorted. */
static void sort(uint32_t *a, uint32_t n)
{
    static const uint32_t gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        uint32_t gap = gaps[g];
        for (uint32_t i = gap; i < n; i++) {
            uint32_t v = a[i], k = i;
            for (; k >= gap && a[k - gap] > v; k -= gap)
                a[k] = a[k - gap];
            a[k] = v;
        }
    }
}

uint32_t tw_router_match(const tw_router *r, const tw_event *ev, tw_route_scratch *s,
                         const tw_route_target **out)
{
    make_room(s, r);
    s->hits_count = 0;
    for (uint32_t i = 0; i < r->probe_count; i++)
        run_probe(r, &r->probes[i], ev, s);
    uint32_t found = s->hits_count;
    check_whole(r, ev, r->always, r->always_count, s);
    if (found > 0 && s->hits_count > 1) /* else they stand in order, each once */
        sort(s->hits, s->hits_count);

    uint32_t count = 0;
    for (uint32_t i = 0; i < s->hits_count; i++)
        if (i == 0 || s->hits[i] != s->hits[i - 1])
            s->out[count++] = r->targets[s->hits[i]].name;
    *out = s->out;
    return count;
}
