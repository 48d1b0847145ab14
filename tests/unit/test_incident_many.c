// SPDX-License-Identifier: Apache-2.0
/* Many incidents at once: what a group lists, who is found among many members, and who is held back by whom. */
#include "incident_fixture.h"

enum { MANY = 3000 };

static const char *host_of(int n)
{
    static char text[16];

    snprintf(text, sizeof text, "h%d", n);
    return text;
}

static void silent(void *self, tw_notification *n)
{
    stage *s = self;

    json_decref(s->last);
    s->last = tw_notification_json(n);
}

/* What is told would not fit the fixture's line. */
static void open_quiet(stage *s)
{
    open_stage(s);
    tw_incidents_free(s->incidents);
    tw_incidents_options options = {.notify = {silent, s},
                                    .streams = s->streams,
                                    .clock = {stage_clock, NULL, s},
                                    .now = &s->now,
                                    .stats = s->stats};
    s->incidents = tw_incidents_new(&options);
}

static size_t size_of(const stage *s, const char *name)
{
    return json_array_size(json_object_get(json_object_get(s->last, "group"), name));
}

static int64_t number(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}

static void a_group_lists_a_thousand_and_counts_the_rest(void **state)
{
    stage s;
    (void)state;
    open_quiet(&s);
    tw_rule *rule = add_rule(&s, "a/host", "${host}");
    rule->incident.group = (tw_group_plan){.set = true,
                                           .by = label_list("zone"),
                                           .by_count = 1,
                                           .wait_ms = 10 * SECOND,
                                           .interval_ms = 60 * SECOND};
    for (int n = 0; n < MANY; n++)
        level(&s, rule, host_of(n), WARN, 1);
    come_to(&s, 12);
    assert_int_equal(size_of(&s, "firing"), 1000);
    assert_int_equal(number(json_object_get(s.last, "group"), "unlisted"), MANY - 1000);
    assert_int_equal(number(s.last, "stands_for"), MANY);
    for (int n = 0; n < MANY; n += 3)
        level(&s, rule, host_of(n), OK, 20);
    come_to(&s, 72);
    assert_int_equal(size_of(&s, "resolved"), 1000);
    assert_int_equal(number(s.last, "stands_for"), MANY - MANY / 3);
    const json_t *first =
        json_array_get(json_object_get(json_object_get(s.last, "group"), "firing"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "incident")), "h1");
    for (int n = 0; n < MANY; n++)
        level(&s, rule, host_of(n), OK, 80);
    assert_int_equal(tw_incidents_count(s.incidents), 0);
    close_stage(&s);
}

static void one_incident_of_many_keys_ends_with_the_last_of_them(void **state)
{
    stage s;
    (void)state;
    open_quiet(&s);
    tw_rule *rule = add_rule(&s, "a/all", "all");
    for (int n = 0; n < MANY; n++)
        level(&s, rule, host_of(n), n == 7 ? CRIT : WARN, 1);
    assert_int_equal(tw_incidents_count(s.incidents), 1);
    assert_string_equal(json_string_value(json_object_get(s.last, "level")), "crit");
    s.from = WARN;
    for (int n = MANY - 1; n > 0; n--)
        level(&s, rule, host_of(n), OK, 2);
    assert_int_equal(tw_incidents_count(s.incidents), 1);
    level(&s, rule, host_of(0), OK, 3);
    assert_int_equal(tw_incidents_count(s.incidents), 0);
    close_stage(&s);
}

static void inhibit(tw_rule *rule, const char *by)
{
    tw_incident_plan *plan = &rule->incident;

    plan->inhibitors =
        tw_realloc(plan->inhibitors, (plan->inhibitor_count + 1) * sizeof(tw_inhibitor));
    plan->inhibitors[plan->inhibitor_count++] =
        (tw_inhibitor){.rule = tw_strdup(by),
                       .level = TW_LEVEL_INFO,
                       .equal = label_list("host"),
                       .equal_count = 1,
                       .wait_ms = 5 * SECOND};
    plan->inhibit_wait_ms = 5 * SECOND;
}

static int marked(const stage *s, const char *mark)
{
    json_t *list = tw_incidents_json(s->incidents), *item, *each;
    size_t i, k;
    int count = 0;

    json_array_foreach(list, i, item)
    {
        json_array_foreach(json_object_get(item, "marks"), k, each)
        {
            count += strcmp(json_string_value(each), mark) == 0;
        }
    }
    json_decref(list);
    return count;
}

static void each_is_held_back_by_what_a_match_means(void **state)
{
    stage s;
    (void)state;
    open_quiet(&s);
    tw_rule *service = add_rule(&s, "a/service", "svc:${host}");
    tw_rule *down = add_rule(&s, "a/down", "down:${host}");
    inhibit(service, "");
    tw_inhibitor *by = &service->incident.inhibitors[0];
    tw_free(by->rule);
    by->rule = NULL;
    by->match = tw_calloc(1, sizeof *by->match);
    by->match[by->match_count++] =
        (tw_label_is){tw_strdup("severity"), tw_strdup("crit")};
    for (int n = 0; n < MANY; n++)
        level(&s, down, host_of(n), n % 3 ? CRIT : WARN, 1);
    for (int n = 0; n < MANY; n++)
        level(&s, service, host_of(n), WARN, 2);
    come_to(&s, 20);
    assert_int_equal(marked(&s, "inhibited"), MANY - MANY / 3);
    s.from = CRIT;
    for (int n = 0; n < MANY; n++)
        level(&s, down, host_of(n), n % 2 ? OK : WARN, 30);
    come_to(&s, 31);
    assert_int_equal(marked(&s, "inhibited"), 0);
    close_stage(&s);
}

/* Two inhibitors want the same of the same rule, which puts it twice where it is looked for. */
static void each_is_held_back_by_its_own_and_let_go_with_it(void **state)
{
    stage s;
    (void)state;
    open_quiet(&s);
    tw_rule *service = add_rule(&s, "a/service", "svc:${host}");
    tw_rule *down = add_rule(&s, "a/down", "down:${host}");
    inhibit(service, "a/down");
    inhibit(service, "a/down");
    for (int n = 0; n < MANY; n++)
        level(&s, service, host_of(n), WARN, 1);
    for (int n = 0; n < MANY; n++)
        level(&s, down, host_of(n), CRIT, 2);
    come_to(&s, 20);
    assert_int_equal(marked(&s, "inhibited"), MANY);
    s.from = CRIT;
    for (int n = 0; n < MANY; n += 2)
        level(&s, down, host_of(n), OK, 30);
    come_to(&s, 31);
    assert_int_equal(marked(&s, "inhibited"), MANY / 2);
    for (int n = 1; n < MANY; n += 2)
        level(&s, down, host_of(n), OK, 40);
    come_to(&s, 41);
    assert_int_equal(marked(&s, "inhibited"), 0);
    assert_int_equal(tw_incidents_count(s.incidents), MANY);
    close_stage(&s);
}

/* As after a reload: the rule is held back by another one now, and let go when that one ends. */
static void a_rule_that_changes_is_held_back_by_its_new_inhibitor(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *before = add_rule(&s, "a/service", "svc:${host}");
    tw_rule *after = add_rule(&s, "a/service", "svc:${host}");
    tw_rule *down = add_rule(&s, "a/down", "down:${host}");
    tw_rule *zone = add_rule(&s, "a/zone", "zone:${host}");
    inhibit(before, "a/down");
    inhibit(after, "a/zone");
    level(&s, before, "h1", WARN, 1);
    level(&s, down, "h1", CRIT, 2);
    level(&s, zone, "h1", CRIT, 3);
    come_to(&s, 10);
    assert_int_equal(marked(&s, "inhibited"), 1);
    s.told_size = 0;
    s.told[0] = '\0';
    s.from = WARN;
    level(&s, after, "h1", CRIT, 20);
    s.from = CRIT;
    level(&s, down, "h1", OK, 30);
    come_to(&s, 40);
    assert_int_equal(marked(&s, "inhibited"), 1);
    level(&s, zone, "h1", OK, 50);
    come_to(&s, 60);
    assert_int_equal(marked(&s, "inhibited"), 0);
    assert_non_null(strstr(s.told, "firing crit svc:h1"));
    close_stage(&s);
}

/* As at the stop of the engine. */
static void what_waits_is_told_when_nobody_will_be_there_later(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *grouped = add_rule(&s, "a/grouped", "g:${host}");
    tw_rule *waiting = add_rule(&s, "a/waiting", "w:${host}");
    tw_rule *zone = add_rule(&s, "a/zone", "z:${host}");
    grouped->incident.group = (tw_group_plan){.set = true,
                                              .by = label_list("zone"),
                                              .by_count = 1,
                                              .wait_ms = 30 * SECOND,
                                              .interval_ms = 300 * SECOND};
    inhibit(waiting, "a/zone");
    level(&s, zone, "h2", CRIT, 1);
    level(&s, grouped, "h1", WARN, 10);
    level(&s, waiting, "h1", CRIT, 11);
    level(&s, waiting, "h2", CRIT, 11);
    assert_string_equal(s.told, "1s firing crit z:h2");
    tw_incidents_release(s.incidents, 12 * SECOND);
    assert_string_equal(s.told, "1s firing crit z:h2 | 12s firing crit w:h1 | "
                                "12s firing warn a/grouped/group/z");
    tw_incidents_release(s.incidents, 13 * SECOND);
    level(&s, grouped, "h1", OK, 14);
    come_to(&s, 60);
    assert_string_equal(s.told, "1s firing crit z:h2 | 12s firing crit w:h1 | "
                                "12s firing warn a/grouped/group/z | "
                                "14s resolved warn a/grouped/group/z");
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_lists_a_thousand_and_counts_the_rest),
        cmocka_unit_test(one_incident_of_many_keys_ends_with_the_last_of_them),
        cmocka_unit_test(each_is_held_back_by_what_a_match_means),
        cmocka_unit_test(each_is_held_back_by_its_own_and_let_go_with_it),
        cmocka_unit_test(what_waits_is_told_when_nobody_will_be_there_later),
        cmocka_unit_test(a_rule_that_changes_is_held_back_by_its_new_inhibitor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
