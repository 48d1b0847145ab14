// SPDX-License-Identifier: Apache-2.0
/* First every table takes its most selective condition, whatever field it lies on. Then
 * fields that serve few tables are given up one by one where that makes an event cheaper:
 * their tables move to another condition on a field that is looked at anyway, or are
 * tried always.
 *
 * Selectivity is guessed from the rules themselves: a field for which rules name many
 * different values has as many, and one more that nobody names. */
#include "route/filing.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "flow/fields.h"
#include "route/exact.h"

/* Costs relative to each other; measured: a probe 13-18 ns, a failing check about 10. */
#define PROBE_COST 1.0
#define CHECK_COST 0.7
#define ONE_SIDED_CHANCE 0.4
#define TWO_SIDED_CHANCE 0.2

enum { EXACT, RANGE, PREFIX, ACCESS_KINDS };
#define ACCESSES (ACCESS_KINDS * TW_MAX_FIELDS)

/* An access is one kind of look-up on one slot. */
typedef struct choice {
    uint32_t distinct[ACCESSES]; /* values or prefixes that rules name */
    bool allowed[ACCESSES];
    uint32_t users[ACCESSES];
} choice;

static uint32_t access_of(int kind, uint32_t slot)
{
    return (uint32_t)kind * TW_MAX_FIELDS + slot;
}

static bool is_exact(const tw_match *m)
{
    if ((m->op != TW_MATCH_EQ && m->op != TW_MATCH_ONEOF) || m->slot >= TW_MAX_FIELDS)
        return false;
    for (uint32_t i = 0; i < m->value_count; i++)
        if (!tw_exact_takes(m->values[i]))
            return false;
    return true;
}

static bool is_range(const tw_match *m)
{
    double d;
    return m->op >= TW_MATCH_GT && m->op <= TW_MATCH_BETWEEN && m->slot < TW_MAX_FIELDS &&
           tw_value_number(m->values[0], &d);
}

static bool is_prefix(const tw_match *m)
{
    return m->op == TW_MATCH_PREFIX && m->slot < TW_MAX_FIELDS;
}

/* ---- how many values rules name for a field ---- */

typedef struct census {
    tw_exact *values[ACCESSES];
} census;

static void count_table(census *c, const tw_match_table *t)
{
    for (uint32_t i = 0; t && i < t->count; i++) {
        const tw_match *m = &t->items[i];
        for (uint32_t k = 0; k < m->table_count; k++)
            count_table(c, m->tables[k]);
        if (!is_exact(m) && !is_prefix(m))
            continue;
        tw_exact **x = &c->values[access_of(is_prefix(m) ? PREFIX : EXACT, m->slot)];
        if (!*x)
            *x = tw_exact_new();
        for (uint32_t k = 0; k < m->value_count; k++)
            tw_exact_add(*x, m->values[k], 0);
    }
}

static void count_values(choice *c, const tw_match_table *const *tables, uint32_t count)
{
    census *seen = tw_alloc(sizeof *seen);
    for (uint32_t i = 0; i < count; i++)
        count_table(seen, tables[i]);
    for (uint32_t a = 0; a < ACCESSES; a++) {
        c->distinct[a] = seen->values[a] ? tw_exact_values(seen->values[a]) : 0;
        c->allowed[a] = true;
        tw_exact_free(seen->values[a]);
    }
    tw_free(seen);
}

/* ---- the best condition of one table among the allowed accesses ---- */

static double exact_chance(const choice *c, const tw_match *m)
{
    double chance = m->value_count / (c->distinct[access_of(EXACT, m->slot)] + 1.0);
    return chance < 1 ? chance : 1;
}

static double range_chance(const tw_match_table *t, uint32_t slot)
{
    double low, high;
    tw_filing_bounds(t, slot, &low, &high);
    return isinf(low) || isinf(high) ? ONE_SIDED_CHANCE : TWO_SIDED_CHANCE;
}

static void consider(tw_filing *best, tw_filing other)
{
    if (other.chance < best->chance) {
        tw_free(best->alternatives);
        *best = other;
    } else {
        tw_free(other.alternatives);
    }
}

static tw_filing best_exact(const choice *c, const tw_match_table *t)
{
    tw_filing best = {.kind = TW_FILED_ALWAYS, .chance = 1};
    for (uint32_t i = 0; i < t->count; i++) {
        const tw_match *m = &t->items[i];
        if (is_exact(m) && c->allowed[access_of(EXACT, m->slot)])
            consider(&best, (tw_filing){.kind = TW_FILED_EXACT,
                                        .item = i,
                                        .slot = m->slot,
                                        .chance = exact_chance(c, m)});
    }
    return best;
}

static tw_filing any_of(const choice *c, const tw_match *m, uint32_t item)
{
    tw_filing f = {.kind = TW_FILED_ANY_OF, .item = item};
    f.alternatives = tw_calloc(m->table_count, sizeof *f.alternatives);
    for (uint32_t i = 0; i < m->table_count; i++) {
        tw_filing one = best_exact(c, m->tables[i]);
        f.alternatives[i] = one.item;
        f.chance += one.chance; /* 1 for one that has none: then the whole is no filing */
    }
    return f;
}

static tw_filing best_of(const choice *c, const tw_match_table *t)
{
    if (!t)
        return (tw_filing){.kind = TW_FILED_ALWAYS, .chance = 1};
    tw_filing best = best_exact(c, t);
    for (uint32_t i = 0; i < t->count; i++) {
        const tw_match *m = &t->items[i];
        tw_filing f = {.item = i, .slot = m->slot, .chance = 1};
        if (m->op == TW_MATCH_ANY_OF) {
            f = any_of(c, m, i);
        } else if (is_range(m) && c->allowed[access_of(RANGE, m->slot)]) {
            f.kind = TW_FILED_RANGE;
            f.chance = range_chance(t, m->slot);
        } else if (is_prefix(m) && c->allowed[access_of(PREFIX, m->slot)]) {
            f.kind = TW_FILED_PREFIX;
            f.chance = 1 / (c->distinct[access_of(PREFIX, m->slot)] + 1.0);
        }
        consider(&best, f);
    }
    return best;
}

/* ---- giving up fields ---- */

static bool uses(const tw_filing *f, const tw_match_table *t, uint32_t access)
{
    switch (f->kind) {
    case TW_FILED_ALWAYS:
        return false;
    case TW_FILED_EXACT:
        return access == access_of(EXACT, f->slot);
    case TW_FILED_RANGE:
        return access == access_of(RANGE, f->slot);
    case TW_FILED_PREFIX:
        return access == access_of(PREFIX, f->slot);
    case TW_FILED_ANY_OF:
        for (uint32_t i = 0; i < t->items[f->item].table_count; i++) {
            const tw_match_table *one = t->items[f->item].tables[i];
            if (access == access_of(EXACT, one->items[f->alternatives[i]].slot))
                return true;
        }
        return false;
    }
    return false;
}

static void count_users(choice *c, const tw_filing *filings,
                        const tw_match_table *const *tables, uint32_t count)
{
    for (uint32_t a = 0; a < ACCESSES; a++)
        c->users[a] = 0;
    for (uint32_t i = 0; i < count; i++) {
        const tw_filing *f = &filings[i];
        if (f->kind == TW_FILED_ALWAYS)
            continue;
        if (f->kind != TW_FILED_ANY_OF) {
            c->users[access_of((int)f->kind - TW_FILED_EXACT, f->slot)]++;
            continue;
        }
        const tw_match *m = &tables[i]->items[f->item];
        for (uint32_t k = 0; k < m->table_count; k++)
            c->users[access_of(EXACT, m->tables[k]->items[f->alternatives[k]].slot)]++;
    }
}

/* Gives up one access if an event gets cheaper by it. */
static bool try_without(choice *c, tw_filing *filings,
                        const tw_match_table *const *tables, uint32_t count,
                        uint32_t access)
{
    double before = PROBE_COST, after = 0;
    c->allowed[access] = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!uses(&filings[i], tables[i], access))
            continue;
        tw_filing other = best_of(c, tables[i]);
        before += CHECK_COST * filings[i].chance;
        after += CHECK_COST * other.chance;
        tw_free(other.alternatives);
    }
    if (after >= before) {
        c->allowed[access] = true;
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!uses(&filings[i], tables[i], access))
            continue;
        tw_free(filings[i].alternatives);
        filings[i] = best_of(c, tables[i]);
    }
    return true;
}

/* Least used first: the one whose loss moves the fewest tables. */
static void give_up_fields(choice *c, tw_filing *filings,
                           const tw_match_table *const *tables, uint32_t count)
{
    bool *tried = tw_calloc(ACCESSES, sizeof *tried);
    for (;;) {
        uint32_t least = ACCESSES;
        count_users(c, filings, tables, count);
        for (uint32_t a = 0; a < ACCESSES; a++) {
            c->allowed[a] = c->users[a] > 0;
            if (c->allowed[a] && !tried[a] &&
                (least == ACCESSES || c->users[a] < c->users[least]))
                least = a;
        }
        if (least == ACCESSES)
            break;
        tried[least] = true;
        try_without(c, filings, tables, count, least);
    }
    tw_free(tried);
}

tw_filing *tw_filings_choose(const tw_match_table *const *tables, uint32_t count)
{
    choice *c = tw_alloc(sizeof *c);
    tw_filing *filings = tw_calloc(count ? count : 1, sizeof *filings);
    count_values(c, tables, count);
    for (uint32_t i = 0; i < count; i++)
        filings[i] = best_of(c, tables[i]);
    give_up_fields(c, filings, tables, count);
    tw_free(c);
    return filings;
}

void tw_filings_free(tw_filing *filings, uint32_t count)
{
    for (uint32_t i = 0; filings && i < count; i++)
        tw_free(filings[i].alternatives);
    tw_free(filings);
}

void tw_filing_bounds(const tw_match_table *t, uint32_t slot, double *out_low,
                      double *out_high)
{
    *out_low = -INFINITY;
    *out_high = INFINITY;
    for (uint32_t i = 0; i < t->count; i++) {
        const tw_match *m = &t->items[i];
        double v;
        if (m->slot != slot || !is_range(m) || !tw_value_number(m->values[0], &v))
            continue;
        if (m->op == TW_MATCH_GT || m->op == TW_MATCH_GTE || m->op == TW_MATCH_BETWEEN)
            *out_low = fmax(*out_low, v);
        if (m->op == TW_MATCH_LT || m->op == TW_MATCH_LTE)
            *out_high = fmin(*out_high, v);
        if (m->op == TW_MATCH_BETWEEN && tw_value_number(m->values[1], &v))
            *out_high = fmin(*out_high, v);
    }
}
