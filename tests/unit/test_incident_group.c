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

static const char *title(const stage *s)
{
    return json_string_value(json_object_get(s->last, "title"));
}

/* What was told before is forgotten. */
static void clear_told(stage *s)
{
    s->told[s->told_size = 0] = '\0';
}

static void beyond_max_one_summary_stands_for_the_rest(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    hosts(&s, r, 1, 3, CRIT, 10);
    hosts(&s, r, 4, 5, CRIT, 15);
    come_to(&s, 1000); /* as long as what it stands for, however calm it is */
    assert_string_equal(s.told, "10s firing crit h1 | 10s firing crit h2 | "
                                "20s firing crit a/b/storm x3 storm");
    assert_string_equal(title(&s), "3 more of a/b: h3/z, h4/z, h5/z");
    clear_told(&s);
    hosts(&s, r, 3, 4, OK, 1001);
    hosts(&s, r, 1, 1, OK, 1002);
    hosts(&s, r, 5, 5, OK, 1003);
    assert_string_equal(s.told, "1002s resolved crit h1 | "
                                "1003s resolved crit a/b/storm x3 storm");
    close_stage(&s);
}

static void what_is_over_before_a_summary_is_told_is_never_told(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    hosts(&s, r, 1, 4, CRIT, 10);
    hosts(&s, r, 1, 4, OK, 19);
    hosts(&s, r, 3, 3, CRIT, 21); /* in the same period, but another summary */
    come_to(&s, 1000);
    assert_string_equal(s.told, "10s firing crit h1 | 10s firing crit h2 | "
                                "19s resolved crit h1 | 19s resolved crit h2 | "
                                "31s firing crit a/b/storm storm");
    close_stage(&s);
}

/* Six minutes of a storm: at twice as many, and at the end of a period that had more. */
static void a_summary_is_told_again_when_it_stands_for_many_more(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    r->incident.storm.max = 0;
    hosts(&s, r, 1, 2, CRIT, 10);
    hosts(&s, r, 3, 3, CRIT, 25);
    hosts(&s, r, 4, 5, CRIT, 40);
    hosts(&s, r, 1, 1, OK, 41);
    hosts(&s, r, 6, 6, CRIT, 42);
    come_to(&s, 71);
    assert_string_equal(s.told, "20s firing crit a/b/storm x2 storm | "
                                "40s firing crit a/b/storm x5 storm | "
                                "70s firing crit a/b/storm x6 storm");
    assert_string_equal(title(&s), "6 of a/b, 5 open: h2/z, h3/z, h4/z, ...");
    close_stage(&s);
}

static void a_summary_rises_with_what_it_stands_for(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    hosts(&s, r, 1, 4, WARN, 10);
    hosts(&s, r, 1, 1, CRIT, 22); /* beyond max, too, though it was told by itself */
    hosts(&s, r, 3, 4, OK, 35);
    hosts(&s, r, 1, 1, OK, 36);
    assert_string_equal(s.told, "10s firing warn h1 | 10s firing warn h2 | "
                                "20s firing warn a/b/storm x2 storm | "
                                "30s firing crit a/b/storm x3 storm | "
                                "36s resolved crit h1 | "
                                "36s resolved crit a/b/storm x3 storm");
    close_stage(&s);
}

static void each_period_tells_max_singly(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    hosts(&s, r, 1, 3, CRIT, 10);
    hosts(&s, r, 4, 6, CRIT, 80); /* it goes on, and h6 makes twice as many */
    hosts(&s, r, 7, 9, CRIT, 200);
    come_to(&s, 1000);
    assert_string_equal(s.told,
                        "10s firing crit h1 | 10s firing crit h2 | "
                        "20s firing crit a/b/storm storm | 80s firing crit h4 | "
                        "80s firing crit h5 | 80s firing crit a/b/storm x2 storm | "
                        "200s firing crit h7 | 200s firing crit h8 | "
                        "210s firing crit a/b/storm x3 storm");
    close_stage(&s);
}

static void at_the_stop_a_summary_is_told_as_it_is(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    hosts(&s, r, 1, 5, CRIT, 10);
    clear_told(&s);
    tw_incidents_release(s.incidents, 12 * SECOND);
    come_to(&s, 40);
    assert_string_equal(s.told, "12s firing crit a/b/storm x3 storm");
    close_stage(&s);
}

static void whoever_takes_a_summary_takes_all_of_it(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    r->incident.remind_ms = 100 * SECOND;
    hosts(&s, r, 1, 4, CRIT, 10);
    come_to(&s, 30);
    assert_int_equal(tw_incidents_ack(s.incidents, "a/b/storm", "ann", 30 * SECOND, NULL),
                     TW_OK);
    clear_told(&s);
    come_to(&s, 150);
    assert_string_equal(s.told,
                        "110s firing crit h1 reminder | 110s firing crit h2 reminder");
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
    assert_string_equal(s.told,
                        "10s firing crit h1 | 10s firing crit h2 | 10s firing crit x");
    come_to(&s, 21);
    assert_string_equal(s.told, "10s firing crit h1 | 10s firing crit h2 | "
                                "10s firing crit x | 20s firing crit a/b/storm/z storm");
    assert_string_equal(title(&s), "1 more of a/b (zone z): h3");
    close_stage(&s);
}

static void a_rule_that_goes_takes_its_storm_along(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = storming_rule(&s);
    hosts(&s, r, 1, 3, CRIT, 10);
    come_to(&s, 25);
    tw_incidents_rule_gone(s.incidents, r, "rule removed", 30 * SECOND);
    assert_string_equal(s.told,
                        "10s firing crit h1 | 10s firing crit h2 | "
                        "20s firing crit a/b/storm storm | 30s resolved crit h1 | "
                        "30s resolved crit h2 | 30s resolved crit a/b/storm storm");
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
        cmocka_unit_test(what_is_over_before_a_summary_is_told_is_never_told),
        cmocka_unit_test(a_summary_is_told_again_when_it_stands_for_many_more),
        cmocka_unit_test(a_summary_rises_with_what_it_stands_for),
        cmocka_unit_test(each_period_tells_max_singly),
        cmocka_unit_test(at_the_stop_a_summary_is_told_as_it_is),
        cmocka_unit_test(whoever_takes_a_summary_takes_all_of_it),
        cmocka_unit_test(drop_stands_for_nothing),
        cmocka_unit_test(a_storm_has_its_labels_in_its_name),
        cmocka_unit_test(a_rule_that_goes_takes_its_storm_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
