// SPDX-License-Identifier: Apache-2.0
/* The aggregates of a rule and the samples they take. One lane's thread; the set owns its
 * table of inputs.
 * Invariant: a column number means one source (field or mapper) of one input, so an entry,
 * which is of one input, never has two meanings for a column. */
#include "detect/aggregate.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* ---- where values come from ---- */

typedef enum reading {
    READ_NUMBER,
    READ_PRESENCE, /* of events that have the field */
    READ_CHANGE,   /* a number, or text as one that differs when the text does */
    READ_HASH,
    READ_NAME
} reading;

typedef struct source {
    uint32_t input;
    reading reading;
    bool has_field;
    uint32_t slot;
    int fn;
} source;

static reading reading_of(tw_agg_kind kind)
{
    if (kind == TW_AGG_COUNT) {
        return READ_PRESENCE;
    }
    if (kind == TW_AGG_CHANGES) {
        return READ_CHANGE;
    }
    if (kind == TW_AGG_DISTINCT) {
        return READ_HASH;
    }
    return kind == TW_AGG_TOPK ? READ_NAME : READ_NUMBER;
}

/* False: the aggregate needs none. */
static bool source_of(const tw_aggregate *agg, bool second, source *out)
{
    if (!second) {
        *out = (source){agg->input, reading_of(agg->kind), agg->has_field, agg->slot,
                        agg->fn};
        return agg->has_field || agg->fn != TW_NO_FN;
    }
    *out = (source){agg->input, READ_NUMBER, true, agg->second, TW_NO_FN};
    if (agg->kind == TW_AGG_LATEST) {
        out->reading = READ_HASH;
    }
    return agg->has_second;
}

static bool same_source(const source *a, const source *b)
{
    return a->input == b->input && a->reading == b->reading && a->fn == b->fn &&
           a->has_field == b->has_field && (!a->has_field || a->slot == b->slot);
}

/* ---- the set of a rule ---- */

typedef struct column_plan {
    source sources[2 * TW_MAX_AGGS];
    uint32_t columns[2 * TW_MAX_AGGS];
    uint32_t count;
    uint64_t plain; /* columns that hold no name */
} column_plan;

/* The first column that this input has not used and that holds names in no input or in all. */
static uint32_t free_column(const tw_aggs *a, const column_plan *p, const source *s)
{
    uint64_t taken = s->reading == READ_NAME ? p->plain : a->named;
    uint32_t column = 0;

    for (uint32_t n = 0; n < p->count; n++) {
        taken |= p->sources[n].input == s->input ? 1ull << p->columns[n] : 0;
    }
    while (column < TW_MAX_AGGS && taken >> column & 1) {
        column++;
    }
    return column;
}

/* TW_MAX_AGGS: there are too many. */
static uint32_t column_for(tw_aggs *a, column_plan *p, const source *s)
{
    for (uint32_t n = 0; n < p->count; n++) {
        if (same_source(&p->sources[n], s)) {
            return p->columns[n];
        }
    }
    uint32_t column = free_column(a, p, s);
    if (column == TW_MAX_AGGS) {
        return column;
    }
    if (s->reading == READ_NAME) {
        a->named |= 1ull << column;
    } else {
        p->plain |= 1ull << column;
    }
    p->sources[p->count] = *s;
    p->columns[p->count++] = column;
    a->columns = column + 1 > a->columns ? column + 1 : a->columns;
    return column;
}

static bool plan_columns(tw_aggs *a)
{
    column_plan *p = tw_alloc(sizeof *p);
    bool fit = true;
    source s;

    for (uint32_t n = 0; n < a->count; n++) {
        a->column[n] = a->column2[n] = TW_NO_COLUMN;
        if (source_of(&a->list[n], false, &s)) {
            a->column[n] = (uint8_t)column_for(a, p, &s);
            fit = fit && a->column[n] < TW_MAX_AGGS;
        }
        if (source_of(&a->list[n], true, &s)) {
            a->column2[n] = (uint8_t)column_for(a, p, &s);
            fit = fit && a->column2[n] < TW_MAX_AGGS;
        }
    }
    tw_free(p);
    return fit;
}

static uint32_t bytes_for(uint32_t bits)
{
    uint32_t bytes = 1;

    while (bytes * 8 < bits) {
        bytes *= 2;
    }
    return bytes;
}

static bool is_heavy(tw_agg_kind kind)
{
    return kind == TW_AGG_EWMA || kind == TW_AGG_LATEST || kind == TW_AGG_DISTINCT ||
           kind == TW_AGG_QUANTILE || kind == TW_AGG_TOPK;
}

static void sort_out(tw_aggs *a)
{
    bool uniform = true;

    for (uint32_t n = 0; n < a->count; n++) {
        const tw_aggregate *agg = &a->list[n];
        bool bare = !agg->match && a->column[n] == TW_NO_COLUMN;
        uint64_t bit = 1ull << n;
        a->all |= bit;
        a->heavy |= is_heavy(agg->kind) ? bit : 0;
        a->steps |= tw_acc_has_steps(agg->kind) ? bit : 0;
        a->inputs[agg->input].reads |= bit;
        a->inputs[agg->input].always |= bare ? bit : 0;
        uniform = uniform && agg->input == a->list[0].input && bare;
    }
    a->mask_bytes = uniform ? 0 : bytes_for(a->count);
    for (uint32_t n = 0; uniform && n < a->count; n++) {
        a->plain |= a->list[n].kind == TW_AGG_COUNT ? 1ull << n : 0;
    }
}

int tw_aggs_init(tw_aggs *a, const tw_rule *rule, tw_err *err)
{
    const tw_level_plan *plan = &rule->level;

    *a = (tw_aggs){.list = plan->aggs, .count = plan->agg_count};
    if (a->count > TW_MAX_AGGS || !plan_columns(a)) {
        return tw_err_at(err, TW_ELIMIT, rule->file, rule->line, 0,
                         "%s: more than %d aggregates, or fields they read", rule->name,
                         TW_MAX_AGGS);
    }
    a->inputs = tw_calloc(rule->input_count + 1, sizeof *a->inputs);
    sort_out(a);
    return TW_OK;
}

void tw_aggs_done(tw_aggs *a)
{
    tw_free(a->inputs);
    a->inputs = NULL;
}

/* ---- samples ---- */

static double bits_of(uint64_t hash)
{
    double bits;

    memcpy(&bits, &hash, sizeof bits);
    return bits;
}

/* A whole number that a double tells apart from others. */
static double change_of(tw_value v)
{
    return (double)(tw_name_hash(v) >> 11);
}

static bool read_field(reading how, tw_value v, double *out, tw_value *out_name)
{
    if (how == READ_NUMBER || (how == READ_CHANGE && tw_value_number(v, out))) {
        return tw_value_number(v, out) && isfinite(*out);
    }
    if (v.type == TW_ABSENT || v.type == TW_NULL) {
        return false;
    }
    if (how == READ_NAME) {
        *out_name = v = tw_name_cut(v);
    }
    if (how == READ_PRESENCE) {
        *out = 1;
    } else {
        *out = how == READ_CHANGE ? change_of(v) : bits_of(tw_name_hash(v));
    }
    return true;
}

static bool read_source(const source *from, tw_script *script, const tw_event *ev,
                        double *out, tw_value *out_name)
{
    bool has = false;

    if (from->fn == TW_NO_FN) {
        return read_field(from->reading, tw_event_slot(ev, from->slot), out, out_name);
    }
    has = script->cls->map_event(script, from->fn, ev, out, &has) == 0 && has &&
          isfinite(*out);
    if (has && (from->reading == READ_HASH || from->reading == READ_NAME)) {
        return read_field(from->reading, tw_value_double(*out), out, out_name);
    }
    return has;
}

/* What one event shows: each column is read once. */
typedef struct reader {
    tw_script *script;
    const tw_event *ev;
    tw_sample *out;
    uint64_t read, there; /* columns looked at, and found */
} reader;

static bool read_column(reader *r, const tw_aggregate *agg, bool second, uint8_t column)
{
    source s;

    if (column == TW_NO_COLUMN) {
        return true;
    }
    uint64_t bit = 1ull << column;
    if (!(r->read & bit)) {
        r->read |= bit;
        (void)source_of(agg, second, &s);
        if (read_source(&s, r->script, r->ev, &r->out->values[column],
                        &r->out->names[column])) {
            r->there |= bit;
        }
    }
    return r->there & bit;
}

void tw_aggs_read(const tw_aggs *a, tw_script *script, uint32_t input, const tw_event *ev,
                  tw_sample *out)
{
    uint64_t rest = a->inputs[input].reads & ~a->inputs[input].always;
    reader r = {.script = script, .ev = ev, .out = out};

    out->taken = a->inputs[input].always;
    for (uint32_t n = 0; n < a->columns; n++) {
        out->values[n] = 0;
    }
    for (uint64_t named = a->named; named != 0; named &= named - 1) {
        out->names[__builtin_ctzll(named)] = tw_value_absent();
    }
    for (; rest != 0; rest &= rest - 1) {
        uint32_t n = (uint32_t)__builtin_ctzll(rest);
        const tw_aggregate *agg = &a->list[n];
        if (tw_match_table_holds(agg->match, ev) &&
            read_column(&r, agg, false, a->column[n]) &&
            read_column(&r, agg, true, a->column2[n])) {
            out->taken |= 1ull << n;
        }
    }
}
