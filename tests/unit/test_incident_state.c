// SPDX-License-Identifier: Apache-2.0
/* The incident stage written down and read back in the middle: nobody can tell from what is told. */
#include <stdlib.h>

#include "incident_fixture.h"

enum { ROUNDS = 300, STEPS = 120 };

static tw_rule *find_rule(void *self, const char *name)
{
    stage *s = self;

    for (uint32_t i = 0; i < s->rule_count; i++)
        if (strcmp(s->rules[i]->name, name) == 0)
            return s->rules[i];
    return NULL;
}

static tw_rule *no_rule(void *self, const char *name)
{
    (void)self;
    (void)name;
    return NULL;
}

static void restart(stage *s)
{
    tw_rule_finder find = {find_rule, s, NULL};
    tw_err err = {0};
    tw_buf bytes, again;

    tw_buf_init(&bytes, 1 << 24);
    tw_buf_init(&again, 1 << 24);
    tw_incidents_save(s->incidents, &bytes);
    tw_incidents_free(s->incidents);
    s->incidents = new_incidents(s);
    if (tw_incidents_load(s->incidents, bytes.data, bytes.len, find, s->clock_ms, &err) <
        0)
        fail_msg("%s", err.text);
    tw_incidents_save(s->incidents, &again);
    assert_int_equal(bytes.len, again.len);
    assert_memory_equal(bytes.data, again.data, bytes.len);
    tw_buf_done(&bytes);
    tw_buf_done(&again);
}

/* Two rules with everything there is: an inhibitor, and one that groups or tells singly. */
static void make_rules(stage *s, unsigned round)
{
    tw_rule *az = add_rule(s, "infra/az", "az:${zone}");
    tw_rule *r = add_rule(s, "app/errors", "${host}");

    az->incident.resolve_after_ms = 200 * SECOND;
    az->incident.remind_ms = 150 * SECOND;
    az->incident.max_age_ms = round % 5 == 0 ? 40 * SECOND : 0;
    r->incident.notify = (tw_notify_mode)(round % 3);
    r->incident.flap = (tw_flap_plan){
        .set = true, .max = 3, .within_ms = 100 * SECOND, .calm_ms = 50 * SECOND};
    r->incident.remind_ms = 300 * SECOND;
    r->incident.inhibitors = tw_calloc(1, sizeof(tw_inhibitor));
    r->incident.inhibitor_count = 1;
    r->incident.inhibitors[0] = (tw_inhibitor){.rule = tw_strdup("infra/az"),
                                               .level = TW_LEVEL_INFO,
                                               .equal = label_list("zone"),
                                               .equal_count = 1,
                                               .wait_ms = 20 * SECOND};
    r->incident.inhibit_wait_ms = 20 * SECOND;
    r->incident.storm = (tw_storm_plan){.set = true, .max = 3, .per_ms = 60 * SECOND};
    r->incident.group = (tw_group_plan){.set = round % 2,
                                        .by = label_list("zone"),
                                        .by_count = 1,
                                        .wait_ms = 30 * SECOND,
                                        .interval_ms = 60 * SECOND};
}

static void one_step(stage *s, unsigned *seed, int64_t *now_s)
{
    static const char *const hosts[] = {"h1", "h2", "h3", "h4", "h5", "h6"};
    static const char *const zones[] = {"z1", "z2"};
    static const tw_level levels[] = {OK, OK, WARN, CRIT};
    int host = rand_r(seed) % 6, what = rand_r(seed) % 20;
    tw_err err;

    *now_s += rand_r(seed) % 25;
    come_to(s, *now_s);
    if (what == 0) {
        json_t *order =
            json_pack("{s:{s:s}, s:I}", "match", "host", hosts[host], "until",
                      (json_int_t)((*now_s + 1 + rand_r(seed) % 200) * SECOND));
        tw_incidents_silence(s->incidents, order, *now_s * SECOND, NULL, &err);
        json_decref(order);
    } else if (what == 1) {
        tw_incidents_ack(s->incidents, hosts[host], "ann", *now_s * SECOND, &err);
    } else if (what == 2) {
        tw_clock_set(&s->now, (*now_s + 60) * SECOND);
    } else if (what < 6) {
        send_kind(s, s->rules[0], what == 5 ? TW_SIGNAL_RESOLVE : TW_SIGNAL_OCCURRENCE,
                  "", zones[host % 2], what == 5 ? OK : CRIT, *now_s);
    } else {
        send_kind(s, s->rules[1], TW_SIGNAL_LEVEL, hosts[host], zones[host % 2],
                  levels[rand_r(seed) % 4], *now_s);
    }
}

static void run(stage *s, unsigned round, int restart_at)
{
    unsigned seed = round;
    int64_t now_s = 0;

    open_stage(s);
    make_rules(s, round);
    for (int i = 0; i < STEPS; i++) {
        if (i == restart_at)
            restart(s);
        one_step(s, &seed, &now_s);
    }
    come_to(s, now_s + 3000);
}

static void a_restart_anywhere_changes_nothing_that_is_told(void **state)
{
    static stage straight, broken;
    size_t told = 0;
    (void)state;

    for (unsigned round = 1; round <= ROUNDS; round++) {
        int at = (int)(round * 7919 % STEPS);
        run(&straight, round, -1);
        run(&broken, round, at);
        if (strcmp(straight.told, broken.told) != 0 ||
            strcmp(straight.changes, broken.changes) != 0)
            fail_msg("seed %u, restart before step %d:\n%s\nbut without:\n%s", round, at,
                     broken.told, straight.told);
        told += straight.told_size;
        close_stage(&straight);
        close_stage(&broken);
    }
    assert_true(told > ROUNDS * 1000);
}

static void incidents_of_rules_that_are_gone_resolve(void **state)
{
    stage s;
    tw_err err = {0};
    tw_buf bytes;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.storm = (tw_storm_plan){.set = true, .max = 1, .per_ms = 60 * SECOND};
    level(&s, r, "h1", WARN, 1);
    level(&s, r, "h2", WARN, 2);
    come_to(&s, 13);
    tw_buf_init(&bytes, 1 << 20);
    tw_incidents_save(s.incidents, &bytes);
    tw_incidents_free(s.incidents);
    s.incidents = new_incidents(&s);
    assert_int_equal(tw_incidents_load(s.incidents, bytes.data, bytes.len,
                                       (tw_rule_finder){no_rule, NULL, NULL}, 19 * SECOND,
                                       &err),
                     TW_OK);
    assert_int_equal(tw_incidents_count(s.incidents), 0);
    assert_string_equal(s.told,
                        "1s firing warn h1 | 12s firing warn a/b/storm storm | "
                        "19s resolved warn h1 | 19s resolved warn a/b/storm storm");
    tw_buf_done(&bytes);
    close_stage(&s);
}

static void bytes_that_are_cut_are_refused(void **state)
{
    static stage s;
    unsigned seed = 3;
    int64_t now_s = 0;
    tw_err err;
    tw_buf bytes;
    (void)state;
    open_stage(&s);
    make_rules(&s, 3);
    for (int i = 0; i < 60; i++)
        one_step(&s, &seed, &now_s);
    tw_buf_init(&bytes, 1 << 24);
    tw_incidents_save(s.incidents, &bytes);
    for (size_t size = 0; size < bytes.len; size++) {
        tw_incidents *in = new_incidents(&s);
        assert_int_equal(tw_incidents_load(in, bytes.data, size,
                                           (tw_rule_finder){find_rule, &s, NULL}, 0,
                                           &err),
                         TW_EPARSE);
        tw_incidents_free(in);
    }
    tw_buf_done(&bytes);
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_anywhere_changes_nothing_that_is_told),
        cmocka_unit_test(incidents_of_rules_that_are_gone_resolve),
        cmocka_unit_test(bytes_that_are_cut_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
