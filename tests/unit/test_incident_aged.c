// SPDX-License-Identifier: Apache-2.0
/* `max_age`: what is too old becomes a record, and what comes of that when the rule has caught up. The day is at
 * 1000 s, the rule's clock wherever the test puts it. */
#include "incident_fixture.h"

static tw_rule *open_aging(stage *s)
{
    open_stage(s);
    tw_clock_set(&s->now, 1000 * SECOND);
    tw_rule *r = add_rule(s, "a/b", "${host}");
    r->incident.max_age_ms = 60 * SECOND;
    return r;
}

static void moments_later(stage *s)
{
    tw_clock_set(&s->now, tw_clock_now_ms(&s->now) + 3 * SECOND);
    come_to(s, s->clock_ms / SECOND);
}

static void assert_title(const stage *s, const char *title)
{
    assert_string_equal(json_string_value(json_object_get(s->last, "title")), title);
}

static void old_alerts_become_records_and_one_notice(void **state)
{
    stage s;
    (void)state;
    tw_rule *r = open_aging(&s);
    level(&s, r, "h1", CRIT, 10);
    level(&s, r, "h1", OK, 20);
    level(&s, r, "h2", WARN, 30);
    assert_string_equal(s.told, ""); /* it may be over in a moment */
    moments_later(&s);
    assert_string_equal(s.told, "10s firing crit a/b/catching-up x2");
    assert_int_equal(tw_stats_sum(s.stats, "alerts_aged_total"), 2);
    s.told_size = 0;
    come_to(&s, 943);
    assert_string_equal(s.told, "943s resolved crit a/b/catching-up");
    assert_title(&s, "a/b has caught up; 1 alert ended before that and was not told, "
                     "1 still fires");
    come_to(&s, 944); /* what still fires is told then */
    assert_string_equal(s.told,
                        "943s resolved crit a/b/catching-up | 943s firing warn h2");
    close_stage(&s);
}

static void with_nothing_left_to_read_old_alerts_are_told(void **state)
{
    stage s;
    (void)state;
    tw_rule *r = open_aging(&s);
    s.idle = true;
    level(&s, r, "h1", CRIT, 10);
    assert_string_equal(s.told, "10s firing crit h1");
    assert_int_equal(tw_stats_sum(s.stats, "alerts_aged_total"), 0);
    close_stage(&s);
}

static void who_has_read_everything_has_caught_up(void **state)
{
    stage s;
    (void)state;
    tw_rule *r = open_aging(&s);
    level(&s, r, "h1", CRIT, 10);
    moments_later(&s);
    moments_later(&s);
    assert_string_equal(s.told, "10s firing crit a/b/catching-up");
    s.told_size = 0;
    s.idle = true;
    come_to(&s, 20);
    come_to(&s, 21);
    assert_string_equal(s.told,
                        "20s resolved crit a/b/catching-up x0 | 20s firing crit h1");
    close_stage(&s);
}

static void who_has_caught_up_in_a_moment_says_nothing_of_it(void **state)
{
    stage s;
    (void)state;
    tw_rule *r = open_aging(&s);
    level(&s, r, "h1", CRIT, 10);
    s.idle = true;
    come_to(&s, 20);
    come_to(&s, 21);
    assert_string_equal(s.told, "20s firing crit h1");
    close_stage(&s);
}

/* Of a fact `silent` that was 15 when the alert was due. */
static void silent(stage *s, tw_rule *r, int64_t at_s)
{
    tw_value facts[] = {tw_value_double(15), tw_value_int(995000)};
    uint8_t bytes[128];
    uint32_t n = put_text(bytes, "h1");

    n += put_text(bytes + n, "z");
    tw_signal signal = {.rule = r,
                        .kind = TW_SIGNAL_LEVEL,
                        .level = CRIT,
                        .at_ms = at_s * SECOND,
                        .key = tw_key_from_bytes(bytes, n),
                        .newest = {.partition = -1},
                        .facts = facts,
                        .start_ms = TW_TIME_NONE,
                        .stop_ms = TW_TIME_NONE};
    tw_incidents_signal(s->incidents, &signal);
}

static void what_counts_up_to_the_alert_counts_up_to_the_telling(void **state)
{
    stage s;
    (void)state;
    tw_rule *r = open_aging(&s);
    r->facts = tw_calloc(2, sizeof *r->facts);
    r->facts[0] = tw_strdup("silent");
    r->facts[1] = tw_strdup("last_seen");
    r->fact_count = 2;
    r->elapsed_fact = 1;
    come_to(&s, 10);
    silent(&s, r, 10);
    come_to(&s, 990);
    come_to(&s, 991);
    assert_string_equal(s.told, "990s firing crit h1");
    const json_t *values = json_object_get(s.last, "values");
    assert_float_equal(json_number_value(json_object_get(values, "silent")), 995, 0);
    assert_int_equal(json_integer_value(json_object_get(values, "last_seen")), 995000);
    close_stage(&s);
}

static void what_ended_unsaid_is_never_silent(void **state)
{
    stage s;
    (void)state;
    tw_rule *r = open_aging(&s);
    level(&s, r, "h1", CRIT, 10);
    level(&s, r, "h1", OK, 12);
    level(&s, r, "h2", CRIT, 13);
    level(&s, r, "h2", OK, 14);
    s.idle = true;
    come_to(&s, 20);
    come_to(&s, 21);
    assert_string_equal(s.told, "10s firing crit a/b/catching-up x2 | "
                                "20s resolved crit a/b/catching-up x2");
    assert_title(&s, "a/b has caught up; 2 alerts ended before that and were not told");
    close_stage(&s);
}

static void what_is_told_after_all_is_not_counted(void **state)
{
    stage s;
    (void)state;
    tw_rule *r = open_aging(&s);
    level(&s, r, "h1", WARN, 10);
    moments_later(&s);
    s.told_size = 0;
    send_kind(&s, r, TW_SIGNAL_LEVEL, "h1", "z", CRIT, 990); /* in time */
    come_to(&s, 991);
    assert_string_equal(s.told,
                        "990s firing crit h1 | 991s resolved warn a/b/catching-up x0");
    assert_title(&s, "a/b has caught up; nothing was left out");
    close_stage(&s);
}

static void what_somebody_has_taken_is_not_counted(void **state)
{
    stage s;
    tw_err err;
    (void)state;
    tw_rule *r = open_aging(&s);
    level(&s, r, "h1", CRIT, 10);
    moments_later(&s);
    assert_int_equal(tw_incidents_ack(s.incidents, "h1", "me", 1000 * SECOND, &err),
                     TW_OK);
    s.told_size = 0;
    s.idle = true;
    come_to(&s, 20);
    come_to(&s, 21);
    assert_string_equal(s.told, "20s resolved crit a/b/catching-up x0");
    assert_title(&s, "a/b has caught up; nothing was left out");
    close_stage(&s);
}

static void a_notice_that_nobody_would_wait_for_is_told_at_the_end(void **state)
{
    stage s;
    (void)state;
    tw_rule *r = open_aging(&s);
    level(&s, r, "h1", CRIT, 10);
    tw_incidents_release(s.incidents, 20 * SECOND);
    assert_string_equal(s.told, "10s firing crit a/b/catching-up");
    close_stage(&s);
}

static void the_end_of_what_was_announced_is_told_at_any_age(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.max_age_ms = 60 * SECOND;
    level(&s, r, "h1", CRIT, 10);
    tw_clock_set(&s.now, 1000 * SECOND);
    level(&s, r, "h1", OK, 20);
    assert_string_equal(s.told, "10s firing crit h1 | 20s resolved crit h1");
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_alerts_become_records_and_one_notice),
        cmocka_unit_test(with_nothing_left_to_read_old_alerts_are_told),
        cmocka_unit_test(who_has_read_everything_has_caught_up),
        cmocka_unit_test(who_has_caught_up_in_a_moment_says_nothing_of_it),
        cmocka_unit_test(what_counts_up_to_the_alert_counts_up_to_the_telling),
        cmocka_unit_test(what_ended_unsaid_is_never_silent),
        cmocka_unit_test(what_is_told_after_all_is_not_counted),
        cmocka_unit_test(what_somebody_has_taken_is_not_counted),
        cmocka_unit_test(a_notice_that_nobody_would_wait_for_is_told_at_the_end),
        cmocka_unit_test(the_end_of_what_was_announced_is_told_at_any_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
