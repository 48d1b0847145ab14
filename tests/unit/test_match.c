// SPDX-License-Identifier: Apache-2.0
/* Tests of flow/match: each operator, absence, refusals, bounded patterns. */
#include "flow/match.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

#define SLOT 4u
#define OTHER 5u

static tw_value text(const char *s)
{
    return tw_value_string(s, strlen(s));
}

static tw_value json(const char *s)
{
    tw_value v = text(s);
    v.type = TW_JSON;
    return v;
}

static tw_event event_of(tw_value *slots)
{
    static const tw_projection projection = {.slot_count = 6};
    return (tw_event){.projection = &projection, .slots = slots};
}

static tw_match matcher(tw_match_op op, tw_value *values, uint32_t count)
{
    return (tw_match){.op = op, .slot = SLOT, .values = values, .value_count = count};
}

static bool holds_m(const tw_match *m, tw_value v)
{
    tw_match_table *t = tw_match_table_new();
    assert_int_equal(tw_match_table_add(t, m, NULL), TW_OK);
    tw_value slots[6] = {[SLOT] = v};
    tw_event ev = event_of(slots);
    bool rc = tw_match_table_holds(t, &ev);
    tw_match_table_free(t);
    return rc;
}

static bool holds(tw_match_op op, tw_value with, tw_value v)
{
    tw_match m = matcher(op, &with, 1);
    return holds_m(&m, v);
}

static int add_code(tw_match_op op, tw_value *values, uint32_t count)
{
    tw_match m = matcher(op, values, count);
    tw_match_table *t = tw_match_table_new();
    tw_err err = {0};
    int rc = tw_match_table_add(t, &m, &err);
    assert_int_equal(err.code, rc);
    assert_int_equal(t->count, rc == TW_OK);
    tw_match_table_free(t);
    return rc;
}

static void equality_knows_numbers_and_text_apart(void **state)
{
    (void)state;
    assert_true(holds(TW_MATCH_EQ, text("cart"), text("cart")));
    assert_false(holds(TW_MATCH_EQ, text("cart"), text("carts")));
    assert_true(holds(TW_MATCH_EQ, tw_value_int(5), tw_value_double(5.0)));
    assert_false(holds(TW_MATCH_EQ, tw_value_int(5), text("5")));
    assert_true(holds(TW_MATCH_EQ, tw_value_bool(true), tw_value_bool(true)));
    tw_value list[] = {text("a"), tw_value_int(2)};
    tw_match m = matcher(TW_MATCH_ONEOF, list, 2);
    assert_true(holds_m(&m, text("a")));
    assert_true(holds_m(&m, tw_value_int(2)));
    assert_false(holds_m(&m, text("b")));
}

static void order_compares_like_with_like(void **state)
{
    (void)state;
    tw_value five = tw_value_int(5);
    assert_true(holds(TW_MATCH_GT, five, tw_value_double(5.1)));
    assert_false(holds(TW_MATCH_GT, five, five));
    assert_true(holds(TW_MATCH_GTE, five, five));
    assert_true(holds(TW_MATCH_LT, five, tw_value_int(-7)));
    assert_false(holds(TW_MATCH_LT, five, five));
    assert_true(holds(TW_MATCH_LTE, five, five));
    assert_false(holds(TW_MATCH_GT, five, text("9")));
    assert_true(holds(TW_MATCH_GT, text("a"), text("b")));
    tw_value bounds[] = {tw_value_int(1), tw_value_int(3)};
    tw_match m = matcher(TW_MATCH_BETWEEN, bounds, 2);
    assert_true(holds_m(&m, tw_value_int(1)));
    assert_true(holds_m(&m, tw_value_int(3)));
    assert_false(holds_m(&m, tw_value_double(3.01)));
    assert_false(holds_m(&m, tw_value_int(0)));
}

static void text_matchers_look_at_text_only(void **state)
{
    (void)state;
    assert_true(holds(TW_MATCH_PREFIX, text("web-"), text("web-1")));
    assert_false(holds(TW_MATCH_PREFIX, text("web-"), text("web")));
    assert_true(holds(TW_MATCH_SUFFIX, text(".net"), text("a.net")));
    assert_false(holds(TW_MATCH_SUFFIX, text(".net"), text("net")));
    assert_true(holds(TW_MATCH_CONTAINS, text("err"), text("an error")));
    assert_false(holds(TW_MATCH_CONTAINS, text("err"), tw_value_int(1)));
    assert_true(holds(TW_MATCH_REGEX, text("^web-\\d+$"), text("web-12")));
    assert_false(holds(TW_MATCH_REGEX, text("^web-\\d+$"), text("web-x")));
    assert_true(holds(TW_MATCH_REGEX, text("t.*n"), text("in the middle, unanchored")));
    assert_true(holds(TW_MATCH_REGEX, text("(?i)^grÖße$"), text("größe")));
}

static void has_finds_elements_of_an_array(void **state)
{
    (void)state;
    tw_value list =
        json("[\"x\", 2 ,\"q\\\"uo\\u00e9\\ud83d\\ude00\",[1,\"z]\"],{\"y\":1}, "
             "true,null,1.5]");
    assert_true(holds(TW_MATCH_HAS, text("x"), list));
    assert_true(holds(TW_MATCH_HAS, tw_value_double(2.0), list));
    assert_true(holds(TW_MATCH_HAS, text("q\"uo\xc3\xa9\xf0\x9f\x98\x80"), list));
    assert_true(holds(TW_MATCH_HAS, tw_value_bool(true), list));
    assert_true(holds(TW_MATCH_HAS, tw_value_double(1.5), list));
    assert_false(holds(TW_MATCH_HAS, text("z]"), list));
    assert_false(holds(TW_MATCH_HAS, text("y"), list));
    assert_false(holds(TW_MATCH_HAS, tw_value_int(1), list));
    tw_value both[] = {text("x"), tw_value_int(2)}, one[] = {text("x"), text("no")};
    tw_match m = matcher(TW_MATCH_HAS, both, 2);
    assert_true(holds_m(&m, list));
    m = matcher(TW_MATCH_HAS, one, 2);
    assert_false(holds_m(&m, list));
}

static void has_survives_what_is_no_array(void **state)
{
    (void)state;
    const char *broken[] = {"",    "[",    "[]",      "{\"x\":1}", "[\"x",      "[1,",
                            "[,]", "[[[[", "[\"\\u1", "[\"\\",     "[\"\\q\"]", "[1 2]"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        size_t n = strlen(broken[i]);
        char *exact = tw_alloc(n + 1); /* the sanitizer sees a read beyond it */
        memcpy(exact, broken[i], n);
        exact = tw_realloc(exact, n ? n : 1);
        tw_value v = {.s = exact, .len = (uint32_t)n, .type = TW_JSON};
        assert_false(holds(TW_MATCH_HAS, text("x"), v));
        assert_false(holds(TW_MATCH_HAS, tw_value_int(2), v));
        tw_free(exact);
    }
    assert_false(holds(TW_MATCH_HAS, text("x"), text("x")));
}

static void an_absent_field_holds_for_missing_only(void **state)
{
    (void)state;
    tw_value absent = tw_value_absent();
    tw_match eq = matcher(TW_MATCH_EQ, &(tw_value){.i = 1, .type = TW_INT}, 1);
    tw_match except = {.op = TW_MATCH_EXCEPT, .slot = SLOT, .child = &eq};
    tw_match missing = {.op = TW_MATCH_MISSING, .slot = SLOT};
    tw_match exists = {.op = TW_MATCH_EXISTS, .slot = SLOT};
    assert_false(holds_m(&eq, absent));
    assert_false(holds_m(&except, absent));
    assert_true(holds_m(&missing, absent));
    assert_false(holds_m(&exists, absent));

    tw_value null = {.type = TW_NULL};
    assert_true(holds_m(&except, null));
    assert_false(holds_m(&missing, null));
    assert_true(holds_m(&exists, null));
    assert_true(holds_m(&except, tw_value_int(2)));
    assert_false(holds_m(&except, tw_value_int(1)));
}

static void any_of_holds_when_one_table_does(void **state)
{
    (void)state;
    tw_match_table *a = tw_match_table_new(), *b = tw_match_table_new();
    tw_value one = tw_value_int(1), two = text("two");
    tw_match ma = matcher(TW_MATCH_EQ, &one, 1);
    tw_match mb = {.op = TW_MATCH_EQ, .slot = OTHER, .values = &two, .value_count = 1};
    assert_int_equal(tw_match_table_add(a, &ma, NULL), TW_OK);
    assert_int_equal(tw_match_table_add(b, &mb, NULL), TW_OK);
    tw_match any = {
        .op = TW_MATCH_ANY_OF, .tables = (tw_match_table *[]){a, b}, .table_count = 2};
    tw_match_table *t = tw_match_table_new();
    assert_int_equal(tw_match_table_add(t, &any, NULL), TW_OK);
    tw_match_table_free(a); /* the table holds copies */
    tw_match_table_free(b);

    tw_value slots[6] = {[SLOT] = tw_value_int(1)};
    tw_event ev = event_of(slots);
    assert_true(tw_match_table_holds(t, &ev));
    slots[SLOT] = tw_value_int(2);
    assert_false(tw_match_table_holds(t, &ev));
    slots[OTHER] = text("two");
    assert_true(tw_match_table_holds(t, &ev));

    uint32_t *seen = NULL, count = 0;
    tw_match_table_slots(t, &seen, &count);
    assert_int_equal(count, 2);
    assert_int_equal(seen[0], SLOT);
    assert_int_equal(seen[1], OTHER);
    tw_free(seen);
    tw_match_table_free(t);
    assert_true(tw_match_table_holds(NULL, &ev));
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    tw_value number = tw_value_int(1), flag = tw_value_bool(true), s = text("a");
    tw_value down[] = {tw_value_int(3), tw_value_int(1)}, mixed[] = {number, s};
    tw_value absent = tw_value_absent();
    assert_int_equal(add_code(TW_MATCH_EQ, NULL, 0), TW_EINVAL);
    assert_int_equal(add_code(TW_MATCH_EQ, mixed, 2), TW_EINVAL);
    assert_int_equal(add_code(TW_MATCH_EQ, &absent, 1), TW_EINVAL);
    assert_int_equal(add_code(TW_MATCH_GT, &flag, 1), TW_EINVAL);
    assert_int_equal(add_code(TW_MATCH_BETWEEN, down, 2), TW_EINVAL);
    assert_int_equal(add_code(TW_MATCH_BETWEEN, mixed, 2), TW_EINVAL);
    assert_int_equal(add_code(TW_MATCH_PREFIX, &number, 1), TW_EINVAL);
    assert_int_equal(add_code(TW_MATCH_EXISTS, &number, 1), TW_EINVAL);
    assert_int_equal(add_code(TW_MATCH_EXCEPT, NULL, 0), TW_EINVAL);
    assert_int_equal(add_code(TW_MATCH_ANY_OF, NULL, 0), TW_EINVAL);
}

static void a_broken_pattern_says_where(void **state)
{
    (void)state;
    tw_value pattern = text("ab(c");
    tw_match m = matcher(TW_MATCH_REGEX, &pattern, 1);
    tw_match_table *t = tw_match_table_new();
    tw_err err = {0};
    assert_int_equal(tw_match_table_add(t, &m, &err), TW_EPARSE);
    assert_non_null(strstr(err.text, "\"ab(c\""));
    assert_non_null(strstr(err.text, "character 5"));
    tw_match_table_free(t);

    static char many[5000];
    memset(many, 'a', sizeof many);
    pattern = tw_value_string(many, sizeof many);
    assert_int_equal(add_code(TW_MATCH_REGEX, &pattern, 1), TW_EPARSE);
}

static void a_hostile_pattern_gives_up(void **state)
{
    (void)state;
    static char as[40000];
    memset(as, 'a', sizeof as);
    tw_value v = tw_value_string(as, sizeof as);
    int64_t start = tw_thread_cpu_ns();
    assert_false(holds(TW_MATCH_REGEX, text("^(a+)+$b"), v));
    assert_false(holds(TW_MATCH_REGEX, text("(a|aa)+$b"), v));
    assert_true(tw_thread_cpu_ns() - start < 5000000000); /* without limits: for ever */
}

static void a_pattern_takes_any_bytes(void **state)
{
    (void)state;
    assert_true(holds(TW_MATCH_REGEX, text("b$"), tw_value_string("\xff\xfe\0b", 4)));
    assert_false(holds(TW_MATCH_REGEX, text("c"), tw_value_string("\xc3", 1)));
    assert_true(holds(TW_MATCH_REGEX, text(""), tw_value_string("", 0)));
}

static void *match_often(void *arg)
{
    const tw_match_table *t = arg;
    tw_value slots[6] = {[SLOT] = text("web-17 failed")};
    tw_event ev = event_of(slots);
    uintptr_t held = 0;
    for (int i = 0; i < 2000; i++)
        held += tw_match_table_holds(t, &ev);
    return (void *)held;
}

static void threads_share_a_pattern(void **state)
{
    (void)state;
    tw_value pattern = text("(\\w+)-(\\d+) fail");
    tw_match m = matcher(TW_MATCH_REGEX, &pattern, 1);
    tw_match_table *t = tw_match_table_new();
    assert_int_equal(tw_match_table_add(t, &m, NULL), TW_OK);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, match_often, t), 0);
    for (int i = 0; i < 4; i++) {
        void *held;
        pthread_join(threads[i], &held);
        assert_int_equal((uintptr_t)held, 2000);
    }
    tw_match_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_knows_numbers_and_text_apart),
        cmocka_unit_test(order_compares_like_with_like),
        cmocka_unit_test(text_matchers_look_at_text_only),
        cmocka_unit_test(has_finds_elements_of_an_array),
        cmocka_unit_test(has_survives_what_is_no_array),
        cmocka_unit_test(an_absent_field_holds_for_missing_only),
        cmocka_unit_test(any_of_holds_when_one_table_does),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_broken_pattern_says_where),
        cmocka_unit_test(a_hostile_pattern_gives_up),
        cmocka_unit_test(a_pattern_takes_any_bytes),
        cmocka_unit_test(threads_share_a_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
