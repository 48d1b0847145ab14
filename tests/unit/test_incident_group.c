// SPDX-License-Identifier: Apache-2.0
/* Incidents told as one: groups, storms, and alerts that are too old. */
#include "incident_fixture.h"

static tw_rule *grouping_rule(stage *s)
{
    tw_rule *r = add_rule(s, "a/b", "${host}");
    r->incident.group = (tw_group_plan){.set = true,
                                        .by = label_list("zone"),
                                        .by_count = 1,
                                        .wait_ms = 30 * SECOND,
                                        .interval_ms = 300 * SECOND};
    return r;
}

static void the_first_of_a_group_waits_for_company(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = grouping_rule(&s);
    level(&s, r, "h1", WARN, 10);
    level(&s, r, "h2", CRIT, 20);
    come_to(&s, 40);
    assert_string_equal(s.told, "");
    come_to(&s, 41);
    assert_string_equal(s.told, "40s firing crit a/b/group/z x2");
    json_t *group = json_object_get(s.last, "group");
    assert_int_equal(json_array_size(json_object_get(group, "firing")), 2);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(group, "labels"), "zone")),
        "z");
    close_stage(&s);
}

static void one_that_ends_while_it_waits_is_never_told(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = grouping_rule(&s);
    level(&s, r, "h1", WARN, 10);
    level(&s, r, "h1", OK, 20);
    come_to(&s, 1000);
    assert_string_equal(s.told, "");
    close_stage(&s);
}

static void additions_and_resolves_go_out_on_the_grid(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = grouping_rule(&s);
    level(&s, r, "h1", WARN, 0); /* told at 30; turns at 330, 630, ... */
    level(&s, r, "h2", WARN, 100);
    level(&s, r, "h3", WARN, 330);
    come_to(&s, 331);
    assert_string_equal(s.told,
                        "30s firing warn a/b/group/z | 330s firing warn a/b/group/z x3");
    level(&s, r, "h1", OK, 400);
    come_to(&s, 1000);
    assert_string_equal(s.told,
                        "30s firing warn a/b/group/z | 330s firing warn a/b/group/z x3 | "
                        "630s firing warn a/b/group/z x2");
    json_t *group = json_object_get(s.last, "group");
    assert_int_equal(json_array_size(json_object_get(group, "resolved")), 1);
    close_stage(&s);
}

static void a_rise_is_told_at_once_and_the_grid_stays(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = grouping_rule(&s);
    level(&s, r, "h1", WARN, 0);
    level(&s, r, "h1", CRIT, 100);
    level(&s, r, "h2", WARN, 200);
    come_to(&s, 1000);
    assert_string_equal(s.told,
                        "30s firing warn a/b/group/z | 100s firing crit a/b/group/z | "
                        "330s firing crit a/b/group/z x2");
    close_stage(&s);
}

static void the_end_of_the_last_member_is_told_at_once_and_a_new_one_waits(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = grouping_rule(&s);
    level(&s, r, "h1", WARN, 0);
    level(&s, r, "h1", OK, 100);
    level(&s, r, "h2", WARN, 110);
    come_to(&s, 141);
    assert_string_equal(s.told,
                        "30s firing warn a/b/group/z | 100s resolved warn a/b/group/z | "
                        "140s firing warn a/b/group/z");
    close_stage(&s);
}

static void a_group_is_reminded_as_one(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = grouping_rule(&s);
    r->incident.remind_ms = 1000 * SECOND;
    level(&s, r, "h1", WARN, 0);
    level(&s, r, "h2", WARN, 1);
    come_to(&s, 1031);
    assert_string_equal(
        s.told,
        "30s firing warn a/b/group/z x2 | 1030s firing warn a/b/group/z x2 reminder");
    close_stage(&s);
}

static void one_member_gives_the_group_its_words_and_labels(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = grouping_rule(&s);
    level(&s, r, "h1", WARN, 0);
    come_to(&s, 31);
    json_t *labels = json_object_get(s.last, "labels");
    assert_string_equal(json_string_value(json_object_get(labels, "host")), "h1");
    level(&s, r, "h2", WARN, 40);
    come_to(&s, 331);
    labels = json_object_get(s.last, "labels");
    assert_null(json_object_get(labels, "host"));
    assert_string_equal(json_string_value(json_object_get(labels, "zone")), "z");
    close_stage(&s);
}

/* ---- storms ------------------------------------------------------------------------ */

static tw_rule *storming_rule(stage *s)
{
    tw_rule *r = add_rule(s, "a/b", "${host}");
    r->incident.storm = (tw_storm_plan){.set = true, .max = 2, .per_ms = 60 * SECOND};
    return r;
}

static void hosts(stage *s, tw_rule *r, int from, int to, tw_level to_level, int64_t at_s)
{
    for (int i = from; i <= to; i++) {
        char host[8];
        snprintf(host, sizeof host, "h%d", i);
        level(s, r, host, to_level, at_s);
    }
}

static void beyond_max_one_summary_stands_for_the_rest(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    hosts(&s, r, 1, 5, CRIT, 10);
    assert_string_equal(s.told, "10s firing crit h1 | 10s firing crit h2 | "
                                "10s firing crit a/b/storm storm");
    come_to(&s, 71); /* 3 in that period */
    assert_string_equal(s.told, "10s firing crit h1 | 10s firing crit h2 | "
                                "10s firing crit a/b/storm storm | "
                                "70s firing crit a/b/storm x3 storm");
    come_to(&s, 131);
    assert_string_equal(s.told, "10s firing crit h1 | 10s firing crit h2 | "
                                "10s firing crit a/b/storm storm | "
                                "70s firing crit a/b/storm x3 storm | "
                                "130s resolved crit a/b/storm x3 storm");
    close_stage(&s);
}

static void resolves_go_out_singly_of_what_was_told_singly(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    hosts(&s, r, 1, 4, CRIT, 10);
    hosts(&s, r, 1, 4, OK, 20);
    assert_string_equal(s.told,
                        "10s firing crit h1 | 10s firing crit h2 | "
                        "10s firing crit a/b/storm storm | 20s resolved crit h1 | "
                        "20s resolved crit h2");
    close_stage(&s);
}

static void each_period_tells_max_singly(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    hosts(&s, r, 1, 3, CRIT, 10);
    hosts(&s, r, 4, 5, CRIT, 80);
    come_to(&s, 200);
    assert_string_equal(s.told,
                        "10s firing crit h1 | 10s firing crit h2 | "
                        "10s firing crit a/b/storm storm | "
                        "70s firing crit a/b/storm storm | 80s firing crit h4 | "
                        "80s firing crit h5 | 130s resolved crit a/b/storm storm");
    close_stage(&s);
}

static void drop_stands_for_nothing(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    r->incident.storm.drop = true;
    hosts(&s, r, 1, 5, CRIT, 10);
    come_to(&s, 1000);
    assert_string_equal(s.told, "10s firing crit h1 | 10s firing crit h2");
    assert_int_equal(tw_stats_sum(s.stats, "alerts_stormed_total"), 3);
    close_stage(&s);
}

static void a_storm_has_its_labels_in_its_name(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    r->incident.storm.by = label_list("zone");
    r->incident.storm.by_count = 1;
    hosts(&s, r, 1, 3, CRIT, 10);
    send_kind(&s, r, TW_SIGNAL_LEVEL, "x", "elsewhere", CRIT, 10);
    assert_string_equal(s.told, "10s firing crit h1 | 10s firing crit h2 | "
                                "10s firing crit a/b/storm/z storm | 10s firing crit x");
    close_stage(&s);
}

static void a_rule_that_goes_takes_its_storm_along(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    hosts(&s, r, 1, 3, CRIT, 10);
    tw_incidents_rule_gone(s.incidents, r, "rule removed", 20 * SECOND);
    assert_string_equal(s.told,
                        "10s firing crit h1 | 10s firing crit h2 | "
                        "10s firing crit a/b/storm storm | 20s resolved crit h1 | "
                        "20s resolved crit h2 | 20s resolved crit a/b/storm storm");
    close_stage(&s);
}

/* ---- max_age ----------------------------------------------------------------------- */

static void old_alerts_become_records_and_one_notice(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.max_age_ms = 60 * SECOND;
    tw_clock_set(&s.now, 1000 * SECOND);
    level(&s, r, "h1", CRIT, 10);
    level(&s, r, "h1", OK, 20);
    level(&s, r, "h2", WARN, 30);
    assert_string_equal(s.told, "10s firing crit a/b/catching-up");
    assert_int_equal(tw_stats_sum(s.stats, "alerts_aged_total"), 2);
    come_to(&s, 941);
    assert_string_equal(s.told, "10s firing crit a/b/catching-up | "
                                "941s resolved crit a/b/catching-up x2");
    come_to(&s, 942); /* what still fires is told then */
    assert_string_equal(s.told, "10s firing crit a/b/catching-up | "
                                "941s resolved crit a/b/catching-up x2 | "
                                "941s firing warn h2");
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
        cmocka_unit_test(the_first_of_a_group_waits_for_company),
        cmocka_unit_test(one_that_ends_while_it_waits_is_never_told),
        cmocka_unit_test(additions_and_resolves_go_out_on_the_grid),
        cmocka_unit_test(a_rise_is_told_at_once_and_the_grid_stays),
        cmocka_unit_test(the_end_of_the_last_member_is_told_at_once_and_a_new_one_waits),
        cmocka_unit_test(a_group_is_reminded_as_one),
        cmocka_unit_test(one_member_gives_the_group_its_words_and_labels),
        cmocka_unit_test(beyond_max_one_summary_stands_for_the_rest),
        cmocka_unit_test(resolves_go_out_singly_of_what_was_told_singly),
        cmocka_unit_test(each_period_tells_max_singly),
        cmocka_unit_test(drop_stands_for_nothing),
        cmocka_unit_test(a_storm_has_its_labels_in_its_name),
        cmocka_unit_test(a_rule_that_goes_takes_its_storm_along),
        cmocka_unit_test(old_alerts_become_records_and_one_notice),
        cmocka_unit_test(the_end_of_what_was_announced_is_told_at_any_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
