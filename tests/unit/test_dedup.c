// SPDX-License-Identifier: Apache-2.0
/* Which events are repeats: by their fields and the rule's key, for a while, and only so many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "detect/dedup.h"

enum { SLOT_ID = TW_SLOT_FIRST_FIELD, WITHIN = 1000 };

typedef struct bench {
    tw_fields *fields;
    tw_projection *projection;
    uint32_t slots[1];
    tw_dedup_plan plan;
    tw_dedup *dedup;
} bench;

static int open_bench(void **state)
{
    bench *b = tw_alloc(sizeof *b);
    tw_err err;
    uint32_t wanted = SLOT_ID;

    b->fields = tw_fields_new();
    assert_int_equal(tw_fields_slot(b->fields, "id", &err), SLOT_ID);
    b->projection = tw_projection_new(b->fields, &wanted, 1);
    b->slots[0] = SLOT_ID;
    b->plan = (tw_dedup_plan){
        .by_count = 1, .slots = b->slots, .within_ms = WITHIN, .max = 100};
    b->dedup = tw_dedup_new(&b->plan);
    *state = b;
    return 0;
}

static int close_bench(void **state)
{
    bench *b = *state;

    tw_dedup_free(b->dedup);
    tw_projection_free(b->projection);
    tw_fields_free(b->fields);
    tw_free(b);
    return 0;
}

static tw_key key_of(bench *b, const char *text, uint8_t *scratch)
{
    tw_value slots[SLOT_ID + 1] = {[SLOT_ID] = tw_value_string(text, strlen(text))};
    tw_event ev = {.projection = b->projection, .slots = slots};
    tw_key key;

    assert_true(tw_key_from_event(&ev, b->slots, 1, scratch, &key));
    return key;
}

static bool is_repeat(bench *b, const char *host, tw_value id, int64_t time_ms,
                      int64_t clock_ms)
{
    uint8_t scratch[TW_MAX_KEY_BYTES];
    tw_key key = key_of(b, host, scratch);
    tw_value slots[SLOT_ID + 1] = {[SLOT_ID] = id};
    tw_event ev = {.projection = b->projection, .slots = slots};

    return tw_dedup_is_repeat(b->dedup, &key, 0, &ev, time_ms, clock_ms);
}

static void a_repeat_is_one_for_as_long_as_within_and_does_not_prolong_it(void **state)
{
    bench *b = *state;

    assert_false(is_repeat(b, "h", tw_value_int(1), 0, TW_TIME_NONE));
    assert_true(is_repeat(b, "h", tw_value_int(1), 600, 500));
    assert_true(is_repeat(b, "h", tw_value_int(1), 1000, 900));
    assert_false(is_repeat(b, "h", tw_value_int(1), 1001, 900));
    assert_true(is_repeat(b, "h", tw_value_int(1), 2001, 900));
}

static void an_older_copy_is_a_repeat_too(void **state)
{
    bench *b = *state;

    assert_false(is_repeat(b, "h", tw_value_int(1), 5000, 4000));
    assert_true(is_repeat(b, "h", tw_value_int(1), 4500, 4000));
}

static void another_key_or_an_event_without_the_field_is_none(void **state)
{
    bench *b = *state;

    assert_false(is_repeat(b, "h", tw_value_int(1), 0, 0));
    assert_false(is_repeat(b, "i", tw_value_int(1), 0, 0));
    assert_false(is_repeat(b, "h", tw_value_absent(), 0, 0));
    assert_false(is_repeat(b, "h", tw_value_absent(), 0, 0));
}

static void what_the_clock_has_passed_is_forgotten(void **state)
{
    bench *b = *state;

    for (int64_t n = 0; n < 50; n++)
        is_repeat(b, "h", tw_value_int(n), n, TW_TIME_NONE);
    assert_int_equal(tw_dedup_count(b->dedup), 50);
    is_repeat(b, "h", tw_value_int(99), 1100, WITHIN + 40);
    assert_int_equal(tw_dedup_count(b->dedup), 11); /* 40 to 49, and the new one */
}

static void beyond_max_the_oldest_go(void **state)
{
    bench *b = *state;

    b->plan.max = 10;
    for (int64_t n = 0; n < 30; n++)
        assert_false(is_repeat(b, "h", tw_value_int(n), n, TW_TIME_NONE));
    assert_int_equal(tw_dedup_count(b->dedup), 10);
    assert_true(is_repeat(b, "h", tw_value_int(29), 30, TW_TIME_NONE));
}

static void saved_in_the_middle_it_goes_on_the_same(void **state)
{
    bench *b = *state;
    tw_buf bytes;
    tw_err err;

    for (int64_t n = 0; n < 20; n++)
        is_repeat(b, "h", tw_value_int(n), n, TW_TIME_NONE);
    tw_buf_init(&bytes, SIZE_MAX / 2);
    tw_dedup_save(b->dedup, &bytes);
    tw_dedup_free(b->dedup);
    b->dedup = tw_dedup_new(&b->plan);
    tw_state_in in = tw_state_in_of(bytes.data, bytes.len);
    assert_int_equal(tw_dedup_load(b->dedup, &in, &err), TW_OK);
    assert_true(is_repeat(b, "h", tw_value_int(7), 900, TW_TIME_NONE));
    assert_false(is_repeat(b, "h", tw_value_int(7), 1008, WITHIN + 8));
    assert_int_equal(tw_dedup_count(b->dedup), 13); /* 8 to 19, and the new one */

    tw_dedup *broken = tw_dedup_new(&b->plan);
    in = tw_state_in_of(bytes.data, bytes.len - 1);
    assert_int_equal(tw_dedup_load(broken, &in, &err), TW_EPARSE);
    tw_dedup_free(broken);
    tw_buf_done(&bytes);
}

static void a_reload_keeps_it_and_a_shorter_within_holds_at_once(void **state)
{
    bench *b = *state;
    tw_dedup_plan shorter = b->plan;

    for (int64_t n = 0; n < 20; n++)
        is_repeat(b, "h", tw_value_int(n), n, TW_TIME_NONE);
    shorter.within_ms = 100;
    tw_dedup *fresh = tw_dedup_new(&shorter);
    tw_dedup_adopt(fresh, b->dedup);
    tw_dedup_free(b->dedup);
    b->dedup = fresh;
    assert_true(is_repeat(b, "h", tw_value_int(5), 105, TW_TIME_NONE));
    is_repeat(b, "h", tw_value_int(99), 200, 115);
    assert_int_equal(tw_dedup_count(b->dedup), 6); /* 15 to 19, and the new one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_repeat_is_one_for_as_long_as_within_and_does_not_prolong_it, open_bench,
            close_bench),
        cmocka_unit_test_setup_teardown(an_older_copy_is_a_repeat_too, open_bench,
                                        close_bench),
        cmocka_unit_test_setup_teardown(another_key_or_an_event_without_the_field_is_none,
                                        open_bench, close_bench),
        cmocka_unit_test_setup_teardown(what_the_clock_has_passed_is_forgotten,
                                        open_bench, close_bench),
        cmocka_unit_test_setup_teardown(beyond_max_the_oldest_go, open_bench,
                                        close_bench),
        cmocka_unit_test_setup_teardown(saved_in_the_middle_it_goes_on_the_same,
                                        open_bench, close_bench),
        cmocka_unit_test_setup_teardown(
            a_reload_keeps_it_and_a_shorter_within_holds_at_once, open_bench,
            close_bench),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
