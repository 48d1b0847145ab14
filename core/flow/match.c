// SPDX-License-Identifier: Apache-2.0
/* Copying, checking and evaluating matchers; the room of PCRE2. A table owns its
 * matchers, their values, their text and their compiled patterns. Evaluation changes
 * nothing but the pool of match blocks of a pattern, which is atomic, and allocates
 * nothing once that pool is filled.
 *
 * A pattern is bounded twice: it sees the first REGEX_TEXT_BYTES of a text, and gives up
 * (does not hold) after REGEX_STEPS steps of backtracking from one place. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "flow/match.h"

#include <pcre2.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "flow/json_array.h"

#define REGEX_STEPS 20000
#define REGEX_TEXT_BYTES (16 * 1024)
#define REGEX_HEAP_KIB 4096
#define REGEX_PATTERN_BYTES 4096
#define REGEX_IDLE 8 /* match blocks kept; one thread needs one at a time */

typedef struct regex {
    pcre2_code *code;
    pcre2_match_context *limits;
    _Atomic(pcre2_match_data *) idle[REGEX_IDLE];
} regex;

static void match_done(tw_match *m);
static int match_copy(tw_match *out, const tw_match *m, tw_err *err);

tw_match_table *tw_match_table_new(void)
{
    return tw_alloc(sizeof(tw_match_table));
}

void tw_match_table_free(tw_match_table *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->count; i++)
        match_done(&t->items[i]);
    tw_free(t->items);
    tw_free(t);
}

int tw_match_table_add(tw_match_table *t, const tw_match *m, tw_err *err)
{
    tw_match copy;
    int rc = match_copy(&copy, m, err);
    if (rc < 0) {
        match_done(&copy);
        return rc;
    }
    t->items = tw_realloc(t->items, (t->count + 1) * sizeof *t->items);
    t->items[t->count++] = copy;
    return TW_OK;
}

static void append_slot(uint32_t **slots, uint32_t *count, uint32_t slot)
{
    *slots = tw_realloc(*slots, (*count + 1) * sizeof **slots);
    (*slots)[(*count)++] = slot;
}

void tw_match_table_slots(const tw_match_table *t, uint32_t **slots, uint32_t *count)
{
    for (uint32_t i = 0; t && i < t->count; i++) {
        const tw_match *m = &t->items[i];
        if (m->op != TW_MATCH_ANY_OF)
            append_slot(slots, count, m->slot);
        for (uint32_t k = 0; k < m->table_count; k++)
            tw_match_table_slots(m->tables[k], slots, count);
    }
}

/* ---- patterns ---- */

static void regex_free(regex *re)
{
    if (!re)
        return;
    for (int i = 0; i < REGEX_IDLE; i++)
        pcre2_match_data_free(atomic_load(&re->idle[i]));
    pcre2_match_context_free(re->limits);
    pcre2_code_free(re->code);
    tw_free(re);
}

static regex *regex_new(tw_value pattern, tw_err *err)
{
    if (pattern.len > REGEX_PATTERN_BYTES) {
        tw_err_set(err, TW_EPARSE, "the pattern is longer than %d bytes",
                   REGEX_PATTERN_BYTES);
        return NULL;
    }
    regex *re = tw_alloc(sizeof *re);
    int code;
    PCRE2_SIZE at;
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    re->code =
        pcre2_compile((PCRE2_SPTR)pattern.s, pattern.len, options, &code, &at, NULL);
    if (!re->code) {
        PCRE2_UCHAR why[160] = "";
        pcre2_get_error_message(code, why, sizeof why);
        tw_err_set(err, TW_EPARSE, "the pattern \"%.*s\" is broken at character %zu: %s",
                   (int)pattern.len, pattern.s, at + 1, (const char *)why);
        regex_free(re);
        return NULL;
    }
    /* Where the system forbids code at run time this fails, and patterns are interpreted.
     */
    pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE);
    re->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(re->limits, REGEX_STEPS);
    pcre2_set_heap_limit(re->limits, REGEX_HEAP_KIB);
    return re;
}

static pcre2_match_data *take_block(regex *re)
{
    for (int i = 0; i < REGEX_IDLE; i++) {
        if (!atomic_load_explicit(&re->idle[i], memory_order_relaxed))
            continue;
        pcre2_match_data *md =
            atomic_exchange_explicit(&re->idle[i], NULL, memory_order_acquire);
        if (md)
            return md;
    }
    return pcre2_match_data_create(1, NULL);
}

static void give_block(regex *re, pcre2_match_data *md)
{
    for (int i = 0; i < REGEX_IDLE; i++) {
        pcre2_match_data *none = NULL;
        if (atomic_compare_exchange_strong_explicit(
                &re->idle[i], &none, md, memory_order_release, memory_order_relaxed))
            return;
    }
    pcre2_match_data_free(md);
}

static bool regex_holds(regex *re, tw_value v)
{
    pcre2_match_data *md = take_block(re);
    if (!md)
        return false;
    PCRE2_SPTR text = (PCRE2_SPTR)v.s;
    size_t n = v.len < REGEX_TEXT_BYTES ? v.len : REGEX_TEXT_BYTES;
    int rc = pcre2_match(re->code, text, n, 0, 0, md, re->limits);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(re->code, text, n, 0, PCRE2_NO_JIT, md, re->limits);
    give_block(re, md);
    return rc >= 0; /* 0: more groups than the block has room for, which is fine */
}

/* ---- copying and checking ---- */

static void match_done(tw_match *m)
{
    for (uint32_t i = 0; m->values && i < m->value_count; i++)
        if (m->values[i].type >= TW_STRING)
            tw_free((void *)(uintptr_t)m->values[i].s);
    tw_free(m->values);
    if (m->child) {
        match_done(m->child);
        tw_free(m->child);
    }
    for (uint32_t i = 0; m->tables && i < m->table_count; i++)
        tw_match_table_free(m->tables[i]);
    tw_free(m->tables);
    regex_free(m->regex);
    *m = (tw_match){0};
}

static int check_all_text(const tw_match *m, tw_err *err)
{
    for (uint32_t i = 0; i < m->value_count; i++)
        if (m->values[i].type != TW_STRING)
            return tw_err_set(err, TW_EINVAL, "this matcher takes a string");
    return TW_OK;
}

static int check_ordered(const tw_match *m, tw_err *err)
{
    int order;
    for (uint32_t i = 0; i < m->value_count; i++)
        if (!tw_value_compare(m->values[i], m->values[i], &order))
            return tw_err_set(err, TW_EINVAL, "this matcher takes a number or a string");
    if (m->op != TW_MATCH_BETWEEN)
        return TW_OK;
    if (!tw_value_compare(m->values[0], m->values[1], &order))
        return tw_err_set(err, TW_EINVAL, "between takes two numbers or two strings");
    if (order > 0)
        return tw_err_set(err, TW_EINVAL, "between takes the lower value first");
    return TW_OK;
}

static int check_values(const tw_match *m, tw_err *err)
{
    for (uint32_t i = 0; i < m->value_count; i++)
        if (m->values[i].type == TW_ABSENT)
            return tw_err_set(err, TW_EINVAL, "a matcher compares with a value");
    switch (m->op) {
    case TW_MATCH_EQ:
    case TW_MATCH_ONEOF:
    case TW_MATCH_HAS:
    case TW_MATCH_EXISTS:
    case TW_MATCH_MISSING:
    case TW_MATCH_EXCEPT:
    case TW_MATCH_ANY_OF:
        return TW_OK;
    case TW_MATCH_GT:
    case TW_MATCH_GTE:
    case TW_MATCH_LT:
    case TW_MATCH_LTE:
    case TW_MATCH_BETWEEN:
        return check_ordered(m, err);
    case TW_MATCH_PREFIX:
    case TW_MATCH_SUFFIX:
    case TW_MATCH_CONTAINS:
    case TW_MATCH_REGEX:
        return check_all_text(m, err);
    }
    return TW_OK;
}

static int check_shape(const tw_match *m, tw_err *err)
{
    static const struct {
        uint32_t least, most;
    } counts[] = {
        [TW_MATCH_EQ] = {1, 1},           [TW_MATCH_ONEOF] = {1, UINT32_MAX},
        [TW_MATCH_GT] = {1, 1},           [TW_MATCH_GTE] = {1, 1},
        [TW_MATCH_LT] = {1, 1},           [TW_MATCH_LTE] = {1, 1},
        [TW_MATCH_BETWEEN] = {2, 2},      [TW_MATCH_PREFIX] = {1, 1},
        [TW_MATCH_SUFFIX] = {1, 1},       [TW_MATCH_CONTAINS] = {1, 1},
        [TW_MATCH_HAS] = {1, UINT32_MAX}, [TW_MATCH_REGEX] = {1, 1},
        [TW_MATCH_EXISTS] = {0, 0},       [TW_MATCH_MISSING] = {0, 0},
        [TW_MATCH_EXCEPT] = {0, 0},       [TW_MATCH_ANY_OF] = {0, 0},
    };
    if (m->value_count < counts[m->op].least || m->value_count > counts[m->op].most)
        return tw_err_set(err, TW_EINVAL, "the matcher has %u values, which is too %s",
                          m->value_count,
                          m->value_count < counts[m->op].least ? "few" : "many");
    if (m->op == TW_MATCH_EXCEPT && (!m->child || m->child->slot != m->slot))
        return tw_err_set(err, TW_EINVAL, "except takes a matcher of the same field");
    if (m->op == TW_MATCH_ANY_OF && m->table_count == 0)
        return tw_err_set(err, TW_EINVAL, "any_of takes at least one table");
    return check_values(m, err);
}

static int copy_tables(tw_match *out, const tw_match *m, tw_err *err)
{
    out->tables = tw_calloc(m->table_count, sizeof *out->tables);
    out->table_count = m->table_count;
    for (uint32_t i = 0; i < m->table_count; i++) {
        out->tables[i] = tw_match_table_new();
        for (uint32_t k = 0; k < m->tables[i]->count; k++) {
            int rc = tw_match_table_add(out->tables[i], &m->tables[i]->items[k], err);
            if (rc < 0)
                return rc;
        }
    }
    return TW_OK;
}

/* Whatever comes back, *out can be given to match_done. */
static int match_copy(tw_match *out, const tw_match *m, tw_err *err)
{
    *out = (tw_match){.op = m->op, .slot = m->slot};
    int rc = check_shape(m, err);
    if (rc < 0)
        return rc;
    if (m->value_count > 0) {
        out->values = tw_calloc(m->value_count, sizeof *out->values);
        out->value_count = m->value_count;
    }
    for (uint32_t i = 0; i < m->value_count; i++) {
        out->values[i] = m->values[i];
        if (m->values[i].type >= TW_STRING)
            out->values[i].s = tw_strndup(m->values[i].s, m->values[i].len);
    }
    if (m->op == TW_MATCH_EXCEPT) {
        out->child = tw_alloc(sizeof *out->child);
        rc = match_copy(out->child, m->child, err);
    } else if (m->op == TW_MATCH_ANY_OF) {
        rc = copy_tables(out, m, err);
    } else if (m->op == TW_MATCH_REGEX) {
        out->regex = regex_new(out->values[0], err);
        rc = out->regex ? TW_OK : TW_EPARSE;
    }
    return rc;
}

/* ---- evaluating ---- */

static bool text_ends(tw_value v, tw_value with)
{
    return v.len >= with.len && memcmp(v.s + (v.len - with.len), with.s, with.len) == 0;
}

static bool text_holds(const tw_match *m, tw_value v)
{
    tw_value with = m->values[0];
    if (v.type != TW_STRING)
        return false;
    if (m->op == TW_MATCH_PREFIX)
        return v.len >= with.len && memcmp(v.s, with.s, with.len) == 0;
    if (m->op == TW_MATCH_SUFFIX)
        return text_ends(v, with);
    if (m->op == TW_MATCH_CONTAINS)
        return memmem(v.s, v.len, with.s, with.len) != NULL;
    return regex_holds(m->regex, v);
}

static bool order_holds(const tw_match *m, tw_value v)
{
    int order;
    if (!tw_value_compare(v, m->values[0], &order))
        return false;
    if (m->op == TW_MATCH_GT)
        return order > 0;
    if (m->op == TW_MATCH_GTE)
        return order >= 0;
    if (m->op == TW_MATCH_LT)
        return order < 0;
    if (m->op == TW_MATCH_LTE)
        return order <= 0;
    return order >= 0 && tw_value_compare(v, m->values[1], &order) && order <= 0;
}

static bool one_of(const tw_match *m, tw_value v)
{
    for (uint32_t i = 0; i < m->value_count; i++)
        if (tw_value_equal(v, m->values[i]))
            return true;
    return false;
}

static bool has_all(const tw_match *m, tw_value v)
{
    if (v.type != TW_JSON)
        return false;
    for (uint32_t i = 0; i < m->value_count; i++)
        if (!tw_json_array_has(v.s, v.len, m->values[i]))
            return false;
    return true;
}

static bool any_holds(const tw_match *m, const tw_event *ev)
{
    for (uint32_t i = 0; i < m->table_count; i++)
        if (tw_match_table_holds(m->tables[i], ev))
            return true;
    return false;
}

bool tw_match_holds(const tw_match *m, const tw_event *ev)
{
    if (m->op == TW_MATCH_ANY_OF)
        return any_holds(m, ev);
    tw_value v = tw_event_slot(ev, m->slot);
    if (v.type == TW_ABSENT)
        return m->op == TW_MATCH_MISSING;
    switch (m->op) {
    case TW_MATCH_EQ:
        return tw_value_equal(v, m->values[0]);
    case TW_MATCH_ONEOF:
        return one_of(m, v);
    case TW_MATCH_GT:
    case TW_MATCH_GTE:
    case TW_MATCH_LT:
    case TW_MATCH_LTE:
    case TW_MATCH_BETWEEN:
        return order_holds(m, v);
    case TW_MATCH_PREFIX:
    case TW_MATCH_SUFFIX:
    case TW_MATCH_CONTAINS:
    case TW_MATCH_REGEX:
        return text_holds(m, v);
    case TW_MATCH_HAS:
        return has_all(m, v);
    case TW_MATCH_EXISTS:
        return true;
    case TW_MATCH_EXCEPT:
        return !tw_match_holds(m->child, ev);
    case TW_MATCH_MISSING:
    case TW_MATCH_ANY_OF:
        return false;
    }
    return false;
}

bool tw_match_table_holds(const tw_match_table *t, const tw_event *ev)
{
    for (uint32_t i = 0; t && i < t->count; i++)
        if (!tw_match_holds(&t->items[i], ev))
            return false;
    return true;
}
