// SPDX-License-Identifier: Apache-2.0
/* Tests of route/router: what the index finds is what trying every table finds, for
 * thousands of random tables and events; order; no allocation per event. */
#include "route/router.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define FIELDS 5u
#define FIRST TW_SLOT_FIRST_FIELD
#define SLOTS (FIRST + FIELDS)

static const tw_projection projection = {.slot_count = SLOTS};

typedef struct dice {
    uint64_t state;
} dice;

static uint32_t roll(dice *d, uint32_t below) /* xorshift64* */
{
    d->state ^= d->state >> 12;
    d->state ^= d->state << 25;
    d->state ^= d->state >> 27;
    return (uint32_t)((d->state * 0x2545f4914f6cdd1du) >> 33) % below;
}

static tw_value text(const char *s)
{
    return tw_value_string(s, strlen(s));
}

static tw_value any_text(dice *d)
{
    static const char *const texts[] = {
        "",          "a",         "ab",
        "abc",       "abd",       "b",
        "ba",        "web",       "web-",
        "web-1",     "web-2",     "web-12",
        "5",         "\xc3",      "gateway-",
        "gateway-a", "gateway-b", "a longer text than the others"};
    return text(texts[roll(d, sizeof texts / sizeof texts[0])]);
}

static tw_value any_number(dice *d)
{
    static const char *const decimals[] = {"1e400", "-1e400", "18446744073709551616",
                                           "-9223372036854775809"};
    static const double doubles[] = {
        0.5,  -0.0, 3.0, 2.5, -9223372036854775808.0, 1e19, -1e18, 18446744073709551616.0,
        1e300};
    static const int64_t ints[] = {INT64_MAX, INT64_MIN, 9007199254740993,
                                   9007199254740992};
    switch (roll(d, 8)) {
    case 0: {
        tw_value v = text(decimals[roll(d, 4)]);
        v.type = TW_DECIMAL;
        return v;
    }
    case 1:
    case 2:
        return tw_value_double(doubles[roll(d, 9)]);
    case 3:
        return tw_value_int(ints[roll(d, 4)]);
    default:
        return tw_value_int((int64_t)roll(d, 8) - 1);
    }
}

static tw_value any_value(dice *d)
{
    tw_value v = {.type = TW_NULL};
    switch (roll(d, 12)) {
    case 0:
        return v;
    case 1:
        return tw_value_bool(roll(d, 2));
    case 2:
        v = text("[1,\"a\"]");
        v.type = TW_JSON;
        return v;
    case 3:
    case 4:
    case 5:
    case 6:
        return any_number(d);
    default:
        return any_text(d);
    }
}

static tw_match_table *any_table(dice *d, int depth);

static void add_any_of(tw_match_table *t, dice *d, int depth)
{
    tw_match_table *tables[3];
    tw_match m = {.op = TW_MATCH_ANY_OF, .tables = tables, .table_count = 1 + roll(d, 3)};
    for (uint32_t i = 0; i < m.table_count; i++)
        tables[i] = any_table(d, depth + 1);
    tw_match_table_add(t, &m, NULL);
    for (uint32_t i = 0; i < m.table_count; i++)
        tw_match_table_free(tables[i]);
}

/* What can be filed under each alternative. */
static void add_exact_any_of(tw_match_table *t, dice *d)
{
    tw_match_table *tables[3];
    tw_match m = {.op = TW_MATCH_ANY_OF, .tables = tables, .table_count = 1 + roll(d, 3)};
    for (uint32_t i = 0; i < m.table_count; i++) {
        tables[i] = any_table(d, 2);
        tw_value v = any_text(d);
        tw_match eq = {.op = TW_MATCH_EQ,
                       .slot = FIRST + roll(d, FIELDS),
                       .values = &v,
                       .value_count = 1};
        tw_match_table_add(tables[i], &eq, NULL);
    }
    tw_match_table_add(t, &m, NULL);
    for (uint32_t i = 0; i < m.table_count; i++)
        tw_match_table_free(tables[i]);
}

static void add_except(tw_match_table *t, dice *d)
{
    tw_value v = any_value(d);
    tw_match child = {.op = TW_MATCH_EQ,
                      .slot = FIRST + roll(d, FIELDS),
                      .values = &v,
                      .value_count = 1};
    tw_match m = {.op = TW_MATCH_EXCEPT, .slot = child.slot, .child = &child};
    tw_match_table_add(t, &m, NULL);
}

/* What makes no sense (a prefix of a number) is refused and the table is one matcher
 * shorter. */
static void add_any_matcher(tw_match_table *t, dice *d, int depth)
{
    static const tw_match_op ops[] = {TW_MATCH_EQ,     TW_MATCH_EQ,      TW_MATCH_EQ,
                                      TW_MATCH_ONEOF,  TW_MATCH_GT,      TW_MATCH_GTE,
                                      TW_MATCH_LT,     TW_MATCH_LTE,     TW_MATCH_BETWEEN,
                                      TW_MATCH_PREFIX, TW_MATCH_PREFIX,  TW_MATCH_SUFFIX,
                                      TW_MATCH_EXISTS, TW_MATCH_MISSING, TW_MATCH_HAS};
    uint32_t kind = roll(d, 20);
    if (kind == 0 && depth < 2) {
        add_any_of(t, d, depth);
        return;
    }
    if (kind == 1) {
        add_except(t, d);
        return;
    }
    if (kind == 2 && depth < 2) {
        add_exact_any_of(t, d);
        return;
    }
    tw_value values[4];
    tw_match m = {.op = ops[roll(d, sizeof ops / sizeof ops[0])], .values = values};
    m.slot = roll(d, 20) == 0 ? TW_SLOT_PARTITION : FIRST + roll(d, FIELDS);
    m.value_count = m.op == TW_MATCH_ONEOF                                ? 1 + roll(d, 4)
                    : m.op == TW_MATCH_BETWEEN                            ? 2
                    : m.op == TW_MATCH_EXISTS || m.op == TW_MATCH_MISSING ? 0
                                                                          : 1;
    for (uint32_t i = 0; i < m.value_count; i++)
        values[i] = any_value(d);
    tw_match_table_add(t, &m, NULL);
}

static tw_match_table *any_table(dice *d, int depth)
{
    tw_match_table *t = tw_match_table_new();
    for (uint32_t n = roll(d, 4); n > 0; n--)
        add_any_matcher(t, d, depth);
    return t;
}

typedef struct rules {
    tw_match_table **tables;
    tw_route_target *names;
    uint32_t count;
    tw_router *router;
} rules;

static rules rules_of(dice *d, uint32_t count)
{
    rules x = {.count = count};
    x.tables = tw_calloc(count + 1, sizeof *x.tables);
    x.names = tw_calloc(count + 1, sizeof *x.names);
    tw_router_builder *b = tw_router_builder_new();
    for (uint32_t i = 0; i < count; i++) {
        x.tables[i] = roll(d, 30) == 0 ? NULL : any_table(d, 0);
        x.names[i] = (tw_route_target){.rule = i / 2, .input = i % 2};
    }
    for (uint32_t i = count; i-- > 0;) /* not in order */
        tw_router_builder_add(b, x.tables[i], x.names[i]);
    x.router = tw_router_build(b);
    return x;
}

static void rules_done(rules *x)
{
    for (uint32_t i = 0; i < x->count; i++)
        tw_match_table_free(x->tables[i]);
    tw_free(x->tables);
    tw_free(x->names);
    tw_router_free(x->router);
}

static uint64_t compare(const rules *x, const tw_event *ev, tw_route_scratch *s,
                        uint64_t seed)
{
    const tw_route_target *got;
    uint32_t n = tw_router_match(x->router, ev, s, &got), at = 0;
    for (uint32_t i = 0; i < x->count; i++) {
        bool expected = tw_match_table_holds(x->tables[i], ev);
        bool found = at < n && got[at].rule == x->names[i].rule &&
                     got[at].input == x->names[i].input;
        if (expected != found)
            fail_msg("seed %" PRIu64 ": table %u %s", seed, i,
                     expected ? "matches and was not found"
                              : "does not match and was found");
        at += found;
    }
    assert_int_equal(at, n);
    return n;
}

static void the_index_finds_what_a_loop_finds(void **state)
{
    (void)state;
    const char *given = getenv("TIDEWATCH_TEST_SEED");
    uint64_t first = given ? strtoull(given, NULL, 0) : 20241121, matches = 0;
    tw_route_scratch *s = tw_route_scratch_new();
    for (uint64_t seed = first; seed < first + 2000; seed++) {
        dice d = {.state = seed * 0x9e3779b97f4a7c15u + 1};
        rules x = rules_of(&d, roll(&d, 60));
        for (int i = 0; i < 50; i++) {
            tw_value slots[SLOTS] = {{.i = 0}};
            for (uint32_t k = FIRST; k < SLOTS; k++)
                slots[k] = roll(&d, 6) == 0 ? tw_value_absent() : any_value(&d);
            tw_event ev = {.projection = &projection,
                           .slots = slots,
                           .partition = (int32_t)roll(&d, 4)};
            matches += compare(&x, &ev, s, seed);
        }
        rules_done(&x);
    }
    tw_route_scratch_free(s);
    printf("seeds %" PRIu64 "..%" PRIu64 ", %" PRIu64 " matches\n", first, first + 1999,
           matches);
    assert_true(matches > 10000);
}

static tw_match_table *table_of(tw_match_op op, uint32_t slot, tw_value v)
{
    tw_match_table *t = tw_match_table_new();
    tw_match m = {.op = op, .slot = slot, .values = &v, .value_count = 1};
    assert_int_equal(tw_match_table_add(t, &m, NULL), TW_OK);
    return t;
}

static void a_router_of_nothing_finds_nothing(void **state)
{
    (void)state;
    tw_router *r = tw_router_build(tw_router_builder_new());
    tw_route_scratch *s = tw_route_scratch_new();
    tw_value slots[SLOTS] = {{.i = 0}};
    tw_event ev = {.projection = &projection, .slots = slots};
    const tw_route_target *out;
    assert_int_equal(tw_router_match(r, &ev, s, &out), 0);
    assert_int_equal(tw_router_target_count(r), 0);
    tw_route_scratch_free(s);
    tw_router_free(r);
}

static void results_are_in_order_however_they_were_found(void **state)
{
    (void)state;
    tw_match_table *tables[] = {table_of(TW_MATCH_EQ, FIRST, text("a")),
                                table_of(TW_MATCH_PREFIX, FIRST, text("a")),
                                table_of(TW_MATCH_GT, FIRST + 1, tw_value_int(3)),
                                NULL,
                                table_of(TW_MATCH_EQ, FIRST, text("a")),
                                table_of(TW_MATCH_EQ, FIRST, text("b"))};
    tw_router_builder *b = tw_router_builder_new();
    const uint32_t rule[] = {7, 2, 9, 4, 2, 1}, input[] = {0, 1, 0, 0, 0, 0};
    for (int i = 0; i < 6; i++)
        tw_router_builder_add(b, tables[i], (tw_route_target){rule[i], input[i]});
    tw_router *r = tw_router_build(b);
    tw_route_scratch *s = tw_route_scratch_new();
    tw_value slots[SLOTS] = {[FIRST] = text("a"), [FIRST + 1] = tw_value_int(4)};
    tw_event ev = {.projection = &projection, .slots = slots};
    const tw_route_target *out;
    assert_int_equal(tw_router_match(r, &ev, s, &out), 5);
    const tw_route_target expected[] = {{2, 0}, {2, 1}, {4, 0}, {7, 0}, {9, 0}};
    assert_memory_equal(out, expected, sizeof expected);
    tw_route_scratch_free(s);
    tw_router_free(r);
    for (int i = 0; i < 6; i++)
        tw_match_table_free(tables[i]);
}

static void an_event_allocates_nothing(void **state)
{
    (void)state;
    dice d = {.state = 99};
    rules x = rules_of(&d, 300);
    tw_route_scratch *s = tw_route_scratch_new();
    tw_value slots[SLOTS] = {{.i = 0}};
    for (uint32_t k = FIRST; k < SLOTS; k++)
        slots[k] = any_value(&d);
    tw_event ev = {.projection = &projection, .slots = slots};
    const tw_route_target *out;
    tw_router_match(x.router, &ev, s, &out);
    uint64_t before = tw_mem_allocations();
    for (int i = 0; i < 1000; i++) {
        slots[FIRST + roll(&d, FIELDS)] = any_value(&d);
        tw_router_match(x.router, &ev, s, &out);
    }
    assert_int_equal(tw_mem_allocations(), before);
    tw_route_scratch_free(s);
    rules_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_finds_what_a_loop_finds),
        cmocka_unit_test(a_router_of_nothing_finds_nothing),
        cmocka_unit_test(results_are_in_order_however_they_were_found),
        cmocka_unit_test(an_event_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
