// SPDX-License-Identifier: Apache-2.0
/* Signals of rules whose incidents depend on each other's are handed over in order of time, whichever lane was
 * faster; those of others at once. */
#include <time.h>

#include "app_order.h"
#include "incident_fixture.h"

typedef struct bench {
    stage s;
    tw_ruleset set;
    tw_rule *rules[3];
    tw_app_order *order;
} bench;

static void tell(bench *b, tw_rule *rule, const char *host, tw_level from, tw_level to,
                 int64_t at_s)
{
    uint8_t bytes[128];
    uint32_t n = put_text(bytes, host);

    n += put_text(bytes + n, "z");
    tw_signal signal = {.rule = rule,
                        .kind = TW_SIGNAL_LEVEL,
                        .from = from,
                        .level = to,
                        .at_ms = at_s * SECOND,
                        .key = tw_key_from_bytes(bytes, n),
                        .newest = {.partition = -1},
                        .start_ms = TW_TIME_NONE,
                        .stop_ms = TW_TIME_NONE};
    tw_app_order_signal(b->order, &signal);
}

/* a/host is inhibited by a/zone for the same zone; a/other has nothing to do with either. */
static void open_bench(bench *b)
{
    *b = (bench){0};
    open_stage(&b->s);
    b->rules[0] = add_rule(&b->s, "a/host", "${host}");
    b->rules[1] = add_rule(&b->s, "a/other", "${host}");
    b->rules[2] = add_rule(&b->s, "a/zone", "${host}");
    tw_incident_plan *plan = &b->rules[0]->incident;
    plan->inhibitors = tw_calloc(1, sizeof *plan->inhibitors);
    plan->inhibitors[0] = (tw_inhibitor){.rule = tw_strdup("a/zone"),
                                         .level = TW_LEVEL_INFO,
                                         .equal = label_list("zone"),
                                         .equal_count = 1,
                                         .wait_ms = 5 * SECOND};
    plan->inhibitor_count = 1;
    plan->inhibit_wait_ms = 5 * SECOND;
    b->set = (tw_ruleset){.rules = b->rules, .rule_count = 3};
    b->order = tw_app_order_new(b->s.incidents);
    tw_app_order_rules(b->order, &b->set);
}

static void close_bench(bench *b)
{
    tw_app_order_free(b->order);
    close_stage(&b->s);
}

static void clocks_come_to(bench *b, int64_t host_s, int64_t other_s, int64_t zone_s)
{
    tw_rule_time times[] = {{.clock_ms = host_s * SECOND},
                            {.clock_ms = other_s * SECOND},
                            {.clock_ms = zone_s * SECOND}};

    tw_app_order_advance(b->order, times);
}

static void what_a_slow_lane_says_late_still_inhibits(void **state)
{
    bench b;
    (void)state;
    open_bench(&b);
    tell(&b, b.rules[0], "h1", OK, WARN, 10);
    tell(&b, b.rules[0], "h1", WARN, OK, 60);
    tell(&b, b.rules[2], "zone", OK, CRIT, 8); /* from another lane */
    tell(&b, b.rules[2], "zone", CRIT, OK, 300);
    clocks_come_to(&b, 400, 400, 400);
    assert_string_equal(b.s.told, "8s firing crit zone | 300s resolved crit zone");
    close_bench(&b);
}

static void they_wait_until_every_clock_concerned_has_come(void **state)
{
    bench b;
    (void)state;
    open_bench(&b);
    tell(&b, b.rules[0], "h1", OK, WARN, 10);
    clocks_come_to(&b, 100, 100, 9);
    assert_string_equal(b.s.told, "");
    assert_int_equal(tw_app_order_clock(b.order, "a/host"), 9 * SECOND);
    assert_int_equal(tw_app_order_clock(b.order, "a/other"), 100 * SECOND);
    clocks_come_to(&b, 100, 100, 16);
    assert_string_equal(b.s.told, "15s firing warn h1");
    close_bench(&b);
}

static void others_go_on_at_once(void **state)
{
    bench b;
    (void)state;
    open_bench(&b);
    tell(&b, b.rules[1], "o", OK, CRIT, 10);
    assert_string_equal(b.s.told, "10s firing crit o");
    close_bench(&b);
}

static void a_rule_without_a_clock_holds_up_nobody(void **state)
{
    bench b;
    tw_rule_time times[] = {{.clock_ms = 100 * SECOND},
                            {.clock_ms = TW_TIME_NONE},
                            {.clock_ms = TW_TIME_NONE}};
    (void)state;
    open_bench(&b);
    tell(&b, b.rules[0], "h1", OK, WARN, 10);
    tw_app_order_advance(b.order, times);
    assert_string_equal(b.s.told, "15s firing warn h1");
    close_bench(&b);
}

static void the_wall_comes_to(bench *b, int64_t host_s)
{
    tw_rule_time times[] = {
        {.clock_ms = TW_TIME_NONE, .waited_ms = host_s * SECOND},
        {.clock_ms = TW_TIME_NONE},
        {.clock_ms = TW_TIME_NONE},
    };

    tw_app_order_advance(b->order, times);
}

static void what_is_found_by_the_wall_waits_by_the_wall(void **state)
{
    bench b;
    (void)state;
    open_bench(&b);
    tell(&b, b.rules[0], "h1", OK, WARN, 10);
    the_wall_comes_to(&b, 14);
    assert_string_equal(b.s.told, "");
    the_wall_comes_to(&b, 16);
    assert_string_equal(b.s.told, "15s firing warn h1");
    close_bench(&b);
}

static void the_first_event_may_be_older_than_the_wall_and_waits_in_full(void **state)
{
    bench b;
    (void)state;
    open_bench(&b);
    the_wall_comes_to(&b, 1000);
    tell(&b, b.rules[0], "h1", OK, WARN, 10);
    clocks_come_to(&b, 12, 12, 12);
    assert_string_equal(b.s.told, "");
    tell(&b, b.rules[2], "zone", OK, CRIT, 14);
    clocks_come_to(&b, 40, 40, 40);
    assert_string_equal(b.s.told, "14s firing crit zone");
    close_bench(&b);
}

/* In place of a/zone by its name: whatever has these labels. */
static void match_instead(bench *b, const char *name, const char *value)
{
    tw_inhibitor *by = &b->rules[0]->incident.inhibitors[0];

    tw_free(by->rule);
    by->rule = NULL;
    by->match = tw_calloc(1, sizeof *by->match);
    by->match[0] = (tw_label_is){tw_strdup(name), tw_strdup(value)};
    by->match_count = 1;
    tw_app_order_rules(b->order, &b->set);
}

/* Who is together already is not looked for again: that would be 27,000 million steps. */
static void thousands_that_anybody_may_inhibit_are_together_in_a_moment(void **state)
{
    enum { MANY = 3000 };
    static tw_rule *same[MANY];
    bench b;
    (void)state;
    open_bench(&b);
    match_instead(&b, "rule", "a/host");
    for (int i = 0; i < MANY; i++)
        same[i] = b.rules[0];
    tw_ruleset many = {.rules = same, .rule_count = MANY};
    clock_t before = clock();
    tw_app_order_rules(b.order, &many);
    assert_true(clock() - before < 8 * CLOCKS_PER_SEC);
    close_bench(&b);
}

static const char *which_wait(bench *b)
{
    static char waits[4];

    for (int i = 0; i < 3; i++) {
        size_t told = strlen(b->s.told);
        tell(b, b->rules[i], (const char *[]){"x", "y", "z"}[i], OK, WARN, 1000 + i);
        waits[i] = strlen(b->s.told) == told ? 'w' : '-';
    }
    return waits;
}

static void a_match_waits_for_rules_that_may_have_such_labels(void **state)
{
    static const struct {
        const char *name, *value, *waits;
    } cases[] = {{"host", "x", "www"}, /* a key of all: who knows */
                 {"rule", "a/zone", "w-w"},   {"kind", "power", "w-w"},
                 {"kind", "water", "w--"},    {"nobody", "has this", "w--"},
                 {"severity", "crit", "www"}, {"severity", "info", "w--"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench b;
        open_bench(&b);
        for (int r = 0; r < 3; r++)
            b.rules[r]->level.levels[CRIT].used = true;
        tw_incident_plan *zone = &b.rules[2]->incident;
        zone->labels = tw_calloc(1, sizeof *zone->labels);
        zone->labels[0] = (tw_label){.name = tw_strdup("kind")};
        zone->labels[0].value.source = tw_strdup("power");
        zone->labels[0].value.parts = tw_calloc(1, sizeof(tw_part));
        zone->labels[0].value.parts[0] = (tw_part){.text = tw_strdup("power")};
        zone->labels[0].value.count = 1;
        zone->label_count = 1;
        match_instead(&b, cases[i].name, cases[i].value);
        assert_string_equal(which_wait(&b), cases[i].waits);
        close_bench(&b);
    }
}

static void at_the_end_everything_is_handed_over(void **state)
{
    bench b;
    (void)state;
    open_bench(&b);
    tell(&b, b.rules[0], "h1", WARN, OK, 60);
    tell(&b, b.rules[0], "h1", OK, WARN, 10);
    tw_app_order_advance(b.order, NULL);
    assert_string_equal(b.s.told, "15s firing warn h1 | 60s resolved warn h1");
    tell(&b, b.rules[0], "h2", OK, WARN, 70); /* what still waits is given back */
    close_bench(&b);
}

static tw_rule *find_rule(void *self, const char *name)
{
    bench *b = self;

    for (uint32_t i = 0; i < b->set.rule_count; i++)
        if (strcmp(b->rules[i]->name, name) == 0)
            return b->rules[i];
    return NULL;
}

/* Written down, and read by another one. */
static int restart(bench *b, size_t without)
{
    tw_rule_finder find = {find_rule, b, NULL};
    tw_buf bytes;
    tw_err err;

    tw_buf_init(&bytes, 1 << 20);
    tw_app_order_save(b->order, &bytes);
    tw_app_order_free(b->order);
    b->order = tw_app_order_new(b->s.incidents);
    tw_app_order_rules(b->order, &b->set);
    int rc = tw_app_order_load(b->order, bytes.data, bytes.len - without, find, &err);
    tw_buf_done(&bytes);
    return rc;
}

static void what_waits_is_saved_and_waits_on(void **state)
{
    bench b;
    (void)state;
    open_bench(&b);
    tell(&b, b.rules[0], "h1", OK, WARN, 10);
    clocks_come_to(&b, 100, 100, 7);
    assert_int_equal(restart(&b, 0), TW_OK);
    assert_string_equal(b.s.told, "");
    tell(&b, b.rules[2], "zone", OK, CRIT, 8); /* from another lane */
    tell(&b, b.rules[0], "h1", WARN, OK, 60);
    tell(&b, b.rules[2], "zone", CRIT, OK, 300);
    assert_int_equal(restart(&b, 0), TW_OK);
    clocks_come_to(&b, 400, 400, 400);
    assert_string_equal(b.s.told, "8s firing crit zone | 300s resolved crit zone");
    close_bench(&b);
}

static void at_one_instant_they_keep_the_order_they_came_in(void **state)
{
    bench b;
    (void)state;
    open_bench(&b);
    tell(&b, b.rules[2], "one", OK, WARN, 10);
    tell(&b, b.rules[2], "one", WARN, OK, 10);
    tell(&b, b.rules[2], "one", OK, CRIT, 10);
    tell(&b, b.rules[2], "two", OK, WARN, 9);
    assert_int_equal(restart(&b, 0), TW_OK);
    clocks_come_to(&b, 400, 400, 400);
    assert_string_equal(b.s.told, "9s firing warn two | 10s firing warn one | "
                                  "10s resolved warn one | 10s firing crit one");
    close_bench(&b);
}

static void a_state_that_breaks_off_is_refused(void **state)
{
    (void)state;
    for (size_t without = 1; without < 40; without++) {
        bench b;
        open_bench(&b);
        tell(&b, b.rules[0], "h1", OK, WARN, 10);
        assert_int_equal(restart(&b, without), TW_EPARSE);
        close_bench(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_that_anybody_may_inhibit_are_together_in_a_moment),
        cmocka_unit_test(what_a_slow_lane_says_late_still_inhibits),
        cmocka_unit_test(they_wait_until_every_clock_concerned_has_come),
        cmocka_unit_test(others_go_on_at_once),
        cmocka_unit_test(a_rule_without_a_clock_holds_up_nobody),
        cmocka_unit_test(what_is_found_by_the_wall_waits_by_the_wall),
        cmocka_unit_test(the_first_event_may_be_older_than_the_wall_and_waits_in_full),
        cmocka_unit_test(a_match_waits_for_rules_that_may_have_such_labels),
        cmocka_unit_test(at_the_end_everything_is_handed_over),
        cmocka_unit_test(what_waits_is_saved_and_waits_on),
        cmocka_unit_test(at_one_instant_they_keep_the_order_they_came_in),
        cmocka_unit_test(a_state_that_breaks_off_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
