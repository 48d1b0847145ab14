// SPDX-License-Identifier: Apache-2.0
/* Open matches across a reload and a restart. */
#include "detect/seq.h"
#include "seqs.h"

static tw_rule *two_steps(void)
{
    tw_rule *r = seq_rule();

    step(r, A);
    step(r, B);
    return r;
}

/* ---- reload ------------------------------------------------------------------------ */

static void reload(tw_rule *rule)
{
    tw_detector *fresh = seqs_detector(the.d, rule);

    fresh->cls->adopt(fresh, the.d->det, the.d->clock_ms);
    the.d->det->cls->free(the.d->det);
    tw_rule_unref(the.d->rule);
    the.d->rule = rule;
    the.d->det = fresh;
}

static void a_reload_keeps_matches_and_recomputes_their_time(void **state)
{
    tw_rule *longer = two_steps();

    (void)state;
    begin(two_steps());
    at(1, A);
    plan_of(longer)->within_ms = 300;
    reload(longer);
    at(200, B);
    expect("200 k a1 b1");
    at(201, A);
    reload(two_steps());
    clock_to(302);
    assert_int_equal(open_keys(), 0);
    end();
}

static void fields_keep_their_names_across_a_reload(void **state)
{
    tw_rule *more = two_steps();

    (void)state;
    more->kept = tw_realloc(more->kept, 2 * sizeof *more->kept);
    more->kept[1] = more->kept[0];
    more->kept[0] = tw_strdup("new");
    more->kept_count = 2;
    tw_free(more->kept_slots);
    more->kept_slots = tw_calloc(2 * INPUTS, sizeof *more->kept_slots);
    begin(two_steps());
    at_value(1, A, 42);
    reload(more);
    tw_buf out;
    tw_buf_init(&out, 65536);
    the.d->det->cls->save(the.d->det, &out);
    double number = 42;
    assert_non_null(memmem(out.data, out.len, &number, sizeof number));
    tw_buf_done(&out);
    end();
}

static void a_reload_to_newest_keeps_the_newest(void **state)
{
    tw_rule *r = two_steps();

    (void)state;
    plan_of(r)->overlap = TW_SEQ_EVERY;
    begin(r);
    feed(1, "aaa");
    reload(two_steps());
    feed(4, "b");
    expect("4 k a1 b1");
    assert_int_equal(the.d->last.start_ms, 3);
    end();
}

static tw_rule *five_times(void)
{
    tw_rule *r = seq_rule();

    step_times(r, A, 5, 5);
    step(r, B);
    return r;
}

static tw_rule *three_times(void)
{
    tw_rule *r = seq_rule();

    step_times(r, A, 3, 3);
    step(r, B);
    return r;
}

static void an_edit_keeps_what_has_come_no_further_than_the_shared_steps(void **state)
{
    (void)state;
    begin(of_steps("abc"));
    event_only(the.d, 1, "one", A, tw_value_int(0), -1);
    event_only(the.d, 1, "two", A, tw_value_int(0), -1);
    event_only(the.d, 2, "two", B, tw_value_int(0), -1);
    reload(of_steps("axbc"));
    assert_int_equal(open_keys(), 1);
    event_only(the.d, 3, "one", X, tw_value_int(0), -1);
    event_only(the.d, 4, "one", B, tw_value_int(0), -1);
    event_only(the.d, 5, "one", C, tw_value_int(0), -1);
    event_only(the.d, 5, "two", C, tw_value_int(0), -1);
    expect("5 one a1 x1 b1 c1");
    end();
    assert_int_equal(desk_fate(of_steps("axbc"), of_steps("abc")), TW_FATE_PARTLY);
    assert_int_equal(desk_fate(of_steps("abc"), of_steps("ab")), TW_FATE_KEPT);
    assert_int_equal(desk_fate(of_steps("bc"), of_steps("abc")), TW_FATE_COLD);
}

static void an_edit_of_times_keeps_the_count(void **state)
{
    (void)state;
    begin(five_times());
    feed(1, "aaa");
    reload(three_times());
    feed(4, "b");
    expect("4 k a3 b1");
    feed(5, "aa");
    reload(five_times());
    feed(7, "bab");
    expect_none();
    feed(10, "aab");
    expect("12 k a5 b1");
    end();
    assert_int_equal(desk_fate(three_times(), five_times()), TW_FATE_KEPT);
}

static void an_edit_that_leaves_nothing_to_wait_for_ends_the_match(void **state)
{
    (void)state;
    begin(of_steps("abc"));
    feed(1, "ab");
    reload(of_steps("ab"));
    assert_int_equal(open_keys(), 0);
    clock_to(500);
    end();
}

/* ---- restart ----------------------------------------------------------------------- */

static void restart(void)
{
    tw_buf out;
    tw_err err = {0};

    tw_buf_init(&out, 65536);
    the.d->det->cls->save(the.d->det, &out);
    tw_detector *fresh = seqs_detector(the.d, the.d->rule);
    tw_state_in in = tw_state_in_of(out.data, out.len);
    if (fresh->cls->load(fresh, &in, &err) < 0)
        fail_msg("%s", err.text);
    assert_ptr_equal(in.at, in.end);
    tw_buf_done(&out);
    the.d->det->cls->free(the.d->det);
    the.d->det = fresh;
}

static tw_rule *of_everything(void)
{
    tw_rule *r = seq_rule();

    step(r, A);
    step_times(r, B, 2, UINT32_MAX)->run = true;
    guard(r, X);
    step(r, C)->optional = true;
    step_times(r, A, 2, 2);
    wait_for(r, X, 10);
    plan_of(r)->overlap = TW_SEQ_PAST_LAST;
    return r;
}

/* Random letters twice, the second time with a restart behind every few. */
static void run_random(uint32_t seed, bool restarts)
{
    begin(of_everything());
    for (int64_t ms = 1; ms < 3000;) {
        seed = seed * 1664525 + 1013904223;
        ms += seed >> 29;
        at(ms, (int)("\0\0\0\1\1\1\2\3"[seed >> 20 & 7]));
        if (seed >> 16 & 1)
            clock_to(ms);
        if (restarts && (seed >> 10 & 7) == 0)
            restart();
    }
    clock_to(5000);
}

static void a_restart_changes_nothing(void **state)
{
    char told[100][80];

    (void)state;
    run_random(7, false);
    uint32_t count = the.told_read = the.told_count;
    memcpy(told, the.told, sizeof told);
    end();
    assert_true(count > 5);
    run_random(7, true);
    assert_int_equal(the.told_count, count);
    for (uint32_t n = 0; n < count; n++)
        expect(told[n]);
    end();
}

/* As a fuzzer would: every prefix, and every byte changed. */
static void bytes_that_are_no_state_are_refused_or_harmless(void **state)
{
    tw_buf out;

    (void)state;
    begin(of_everything());
    feed(1, "aabab");
    tw_buf_init(&out, 65536);
    the.d->det->cls->save(the.d->det, &out);
    for (size_t n = 0; n < 2 * out.len; n++) {
        uint8_t *bytes = tw_alloc(out.len + 1);
        memcpy(bytes, out.data, out.len);
        size_t size = n < out.len ? n : out.len;
        if (n >= out.len)
            bytes[n - out.len] ^= 0x15;
        tw_detector *fresh = seqs_detector(the.d, the.d->rule);
        tw_state_in in = tw_state_in_of(bytes, size);
        int rc = fresh->cls->load(fresh, &in, NULL);
        assert_true(n >= out.len || rc < 0);
        if (rc == 0)
            fresh->cls->advance(fresh, 100000);
        fresh->cls->free(fresh);
        tw_free(bytes);
    }
    tw_buf_done(&out);
    the.told_read = the.told_count;
    end();
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_reload_keeps_matches_and_recomputes_their_time),
        T(fields_keep_their_names_across_a_reload),
        T(a_reload_to_newest_keeps_the_newest),
        T(an_edit_keeps_what_has_come_no_further_than_the_shared_steps),
        T(an_edit_of_times_keeps_the_count),
        T(an_edit_that_leaves_nothing_to_wait_for_ends_the_match),
        T(a_restart_changes_nothing),
        T(bytes_that_are_no_state_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
