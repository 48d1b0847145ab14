// SPDX-License-Identifier: Apache-2.0
/* Incidents that are explained by others, and those that nobody is there for. The property test
 * feeds inhibitors and inhibited in any order inside `wait` and looks for wrong pages. */
#include <stdlib.h>

#include "incident_fixture.h"

static tw_rule *inhibited_rule(stage *s, const char *by, int64_t wait_s)
{
    tw_rule *r = add_rule(s, "app/errors", "${host}");
    r->incident.inhibitors = tw_calloc(1, sizeof(tw_inhibitor));
    r->incident.inhibitor_count = 1;
    r->incident.inhibitors[0] = (tw_inhibitor){.rule = tw_strdup(by),
                                               .level = TW_LEVEL_INFO,
                                               .equal = label_list("zone"),
                                               .equal_count = 1,
                                               .wait_ms = wait_s * SECOND};
    r->incident.inhibit_wait_ms = wait_s * SECOND;
    return r;
}

/* Whatever rule it is of. */
static void inhibit_by_severity(tw_rule *r, const char *severity)
{
    tw_inhibitor *by = &r->incident.inhibitors[0];

    tw_free(by->rule);
    by->rule = NULL;
    by->match = tw_calloc(1, sizeof *by->match);
    by->match[by->match_count++] =
        (tw_label_is){tw_strdup("severity"), tw_strdup(severity)};
}

static void an_inhibitor_that_fires_holds_it_back(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "infra/az", 0);
    level(&s, az, "", CRIT, 1);
    level(&s, r, "h", CRIT, 2);
    level(&s, r, "h", OK, 50);
    come_to(&s, 100);
    assert_string_equal(s.told, "1s firing crit az:z");
    assert_non_null(strstr(s.changes, "inhibited h"));
    close_stage(&s);
}

static void it_waits_for_the_inhibitor_to_appear(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "infra/az", 20);
    level(&s, r, "h", CRIT, 2);
    level(&s, az, "", CRIT, 22);
    come_to(&s, 100);
    assert_string_equal(s.told, "22s firing crit az:z");
    close_stage(&s);
}

static void behind_the_wait_it_is_told(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "infra/az", 20);
    level(&s, r, "h", CRIT, 2);
    level(&s, az, "", CRIT, 23);
    level(&s, r, "h", OK, 30);
    assert_string_equal(s.told,
                        "22s firing crit h | 23s firing crit az:z | 30s resolved crit h");
    close_stage(&s);
}

static void it_is_told_when_the_inhibitor_resolves_first(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "infra/az", 20);
    level(&s, az, "", CRIT, 1);
    level(&s, r, "h", CRIT, 2);
    level(&s, az, "", OK, 50);
    come_to(&s, 51);
    assert_string_equal(
        s.told, "1s firing crit az:z | 50s resolved crit az:z | 50s firing crit h");
    close_stage(&s);
}

static void an_outage_within_the_wait_changes_nothing_seen_or_not(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "infra/az", 20);
    r->incident.inhibitors[0].level = WARN;
    level(&s, r, "h", WARN, 2);
    level(&s, r, "i", WARN, 2);
    level(&s, az, "", CRIT, 5);
    level(&s, r, "h", CRIT, 6); /* looked at, and held back */
    level(&s, az, "", OK, 10);
    come_to(&s, 100);
    assert_string_equal(s.told, "5s firing crit az:z | 10s resolved crit az:z | "
                                "22s firing crit h | 22s firing warn i");
    close_stage(&s);
}

static void an_outage_that_comes_again_within_the_wait_holds_it_back(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "infra/az", 20);
    level(&s, az, "", CRIT, 1);
    level(&s, r, "h", CRIT, 2);
    level(&s, az, "", OK, 10);
    level(&s, az, "", CRIT, 20);
    level(&s, r, "h", OK, 40);
    assert_string_equal(
        s.told, "1s firing crit az:z | 10s resolved crit az:z | 20s firing crit az:z");
    close_stage(&s);
}

static void what_ends_with_its_inhibitor_is_not_told(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "infra/az", 20);
    level(&s, az, "", CRIT, 1);
    level(&s, r, "h", CRIT, 2);
    level(&s, az, "", OK, 50);
    level(&s, r, "h", OK, 50);
    come_to(&s, 51);
    assert_string_equal(s.told, "1s firing crit az:z | 50s resolved crit az:z");
    close_stage(&s);
}

static void what_was_announced_resolves_although_inhibited(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "infra/az", 0);
    level(&s, r, "h", WARN, 1);
    level(&s, az, "", CRIT, 5);
    level(&s, r, "h", CRIT, 6); /* the rise is held back */
    level(&s, r, "h", OK, 7);
    assert_string_equal(s.told,
                        "1s firing warn h | 5s firing crit az:z | 7s resolved crit h");
    close_stage(&s);
}

static void only_that_level_and_equal_labels_inhibit(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "infra/az", 0);
    r->incident.inhibitors[0].level = TW_LEVEL_CRIT;
    level(&s, az, "", WARN, 1);
    level(&s, r, "h1", CRIT, 2);
    level(&s, az, "", CRIT, 4);
    send_kind(&s, r, TW_SIGNAL_LEVEL, "h2", "other", CRIT, 4);
    send_kind(&s, r, TW_SIGNAL_LEVEL, "h3", "z", CRIT, 4);
    come_to(&s, 10);
    assert_string_equal(s.told, "1s firing warn az:z | 2s firing crit h1 | "
                                "4s firing crit az:z | 4s firing crit h2");
    close_stage(&s);
}

static void a_fall_below_that_level_lets_go(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "infra/az", 0);
    r->incident.inhibitors[0].level = TW_LEVEL_CRIT;
    level(&s, az, "", CRIT, 1);
    level(&s, r, "h1", WARN, 2);
    level(&s, az, "", WARN, 4);
    come_to(&s, 10);
    assert_string_equal(s.told, "1s firing crit az:z | 4s firing warn h1");
    close_stage(&s);
}

static void match_looks_at_labels_and_the_current_level(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "x", 0);
    inhibit_by_severity(r, "crit");
    level(&s, az, "", WARN, 1);
    level(&s, r, "h1", WARN, 2);
    level(&s, az, "", CRIT, 4);
    level(&s, r, "h2", WARN, 5);
    come_to(&s, 10);
    assert_string_equal(s.told,
                        "1s firing warn az:z | 2s firing warn h1 | 4s firing crit az:z");
    close_stage(&s);
}

/* Found by its level, which changes, up and down. */
static void what_a_level_holds_back_is_told_when_it_is_another(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "x", 0);
    inhibit_by_severity(r, "warn");
    level(&s, az, "", WARN, 1);
    level(&s, r, "h1", CRIT, 2);
    level(&s, az, "", CRIT, 3);
    come_to(&s, 4);
    assert_string_equal(s.told,
                        "1s firing warn az:z | 3s firing crit az:z | 3s firing crit h1");
    s.from = CRIT;
    level(&s, az, "", WARN, 5);
    level(&s, r, "h2", CRIT, 6);
    s.told[s.told_size = 0] = '\0';
    level(&s, az, "", OK, 7);
    come_to(&s, 8);
    assert_string_equal(s.told, "7s resolved crit az:z | 7s firing crit h2");
    close_stage(&s);
}

static void of_two_that_inhibit_one_another_the_first_is_told(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = inhibited_rule(&s, "app/errors", 5);
    level(&s, r, "h1", WARN, 1);
    level(&s, r, "h2", WARN, 2);
    come_to(&s, 20);
    assert_string_equal(s.told, "6s firing warn h1");
    level(&s, r, "h1", OK, 30);
    come_to(&s, 31);
    assert_string_equal(s.told,
                        "6s firing warn h1 | 30s resolved warn h1 | 30s firing warn h2");
    close_stage(&s);
}

static void the_waits_of_inhibitor_and_group_run_side_by_side(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = inhibited_rule(&s, "infra/az", 20);
    r->incident.group =
        (tw_group_plan){.set = true, .wait_ms = 30 * SECOND, .interval_ms = 300 * SECOND};
    level(&s, r, "h", CRIT, 5);
    come_to(&s, 100);
    assert_string_equal(s.told, "35s firing crit app/errors/group");
    close_stage(&s);
}

static void one_that_is_inhibited_while_its_group_waits_is_left_out(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
    tw_rule *r = inhibited_rule(&s, "infra/az", 0);
    r->incident.group =
        (tw_group_plan){.set = true, .wait_ms = 30 * SECOND, .interval_ms = 300 * SECOND};
    level(&s, r, "h", CRIT, 5);
    send_kind(&s, r, TW_SIGNAL_LEVEL, "h2", "other", CRIT, 5);
    level(&s, az, "", CRIT, 25);
    come_to(&s, 100);
    assert_string_equal(s.told,
                        "25s firing crit az:z | 35s firing crit app/errors/group");
    level(&s, az, "", OK, 110);
    come_to(&s, 1000);
    assert_string_equal(s.told,
                        "25s firing crit az:z | 35s firing crit app/errors/group | "
                        "110s resolved crit az:z | 335s firing crit app/errors/group x2");
    close_stage(&s);
}

/* ---- any order inside the wait ------------------------------------------------------ */

enum { ZONES = 3, WAIT_S = 20, SPAN_S = 2000, STEPS = 60 };

typedef struct span {
    int64_t from_s, to_s;
} span;

/* For each zone: outages of the zone, and errors of its host that begin and end with one, some
 * seconds before or after; and errors that have nothing to do with any. */
typedef struct feed_step {
    int64_t at_s;
    int zone;
    bool is_outage, on;
} feed_step;

static int by_time(const void *pa, const void *pb)
{
    const feed_step *a = pa, *b = pb;
    if (a->at_s != b->at_s)
        return a->at_s < b->at_s ? -1 : 1;
    return (a->is_outage > b->is_outage) - (a->is_outage < b->is_outage);
}

static int64_t around(unsigned *seed, int64_t at_s)
{
    return at_s - WAIT_S + (int64_t)(rand_r(seed) % (2 * WAIT_S + 1));
}

static size_t make_feed(unsigned *seed, feed_step *feed, bool *out_alone)
{
    size_t n = 0;

    for (int zone = 0; zone < ZONES; zone++) {
        int64_t at_s = 100 + rand_r(seed) % 100;
        while (at_s < SPAN_S) {
            int64_t end_s = at_s + 100 + rand_r(seed) % 100;
            bool alone = rand_r(seed) % 4 == 0;
            out_alone[n / 2] = alone;
            if (!alone) {
                feed[n++] = (feed_step){at_s, zone, true, true};
                feed[n++] = (feed_step){end_s, zone, true, false};
            }
            int64_t begin_s = alone ? at_s : around(seed, at_s);
            /* the symptom ends no later than its cause, else it is told rightly */
            int64_t over_s = alone ? end_s : end_s - rand_r(seed) % 5;
            feed[n++] = (feed_step){begin_s, zone, false, true};
            feed[n++] = (feed_step){over_s, zone, false, false};
            at_s = end_s + 2 * WAIT_S + 1 + rand_r(seed) % 300;
        }
    }
    qsort(feed, n, sizeof *feed, by_time);
    return n;
}

static int count_text(const char *in, const char *what)
{
    int n = 0;
    for (; (in = strstr(in, what)); in++)
        n++;
    return n;
}

static void inside_the_wait_no_order_pages_wrongly(void **state)
{
    static const char *const zones[ZONES] = {"one", "two", "three"};
    (void)state;
    for (unsigned round = 1; round <= 2000; round++) {
        stage s;
        unsigned seed = round;
        feed_step feed[400];
        bool alone[400] = {false};
        int lonely = 0;
        open_stage(&s);
        tw_rule *az = add_rule(&s, "infra/az", "az:${zone}");
        tw_rule *r = inhibited_rule(&s, "infra/az", WAIT_S);
        size_t n = make_feed(&seed, feed, alone);
        for (size_t i = 0; i < n; i++) {
            const feed_step *f = &feed[i];
            bool explained = f->is_outage;
            for (size_t k = 0; k < n && !explained; k++)
                explained = feed[k].is_outage && feed[k].zone == f->zone && feed[k].on &&
                            llabs(feed[k].at_s - f->at_s) <= WAIT_S;
            lonely += !f->is_outage && f->on && !explained;
            come_to(&s, f->at_s);
            send_kind(&s, f->is_outage ? az : r, TW_SIGNAL_LEVEL,
                      f->is_outage ? "" : zones[f->zone], zones[f->zone],
                      f->on ? CRIT : OK, f->at_s);
        }
        come_to(&s, 2 * SPAN_S);
        int told = 0, resolved = 0;
        for (int zone = 0; zone < ZONES; zone++) {
            char text[32];
            snprintf(text, sizeof text, "firing crit %s", zones[zone]);
            told += count_text(s.told, text);
            snprintf(text, sizeof text, "resolved crit %s", zones[zone]);
            resolved += count_text(s.told, text);
        }
        if (told != lonely || resolved != lonely)
            print_error("seed %u: %d pages, %d resolves, %d expected:\n%s\n", round, told,
                        resolved, lonely, s.told);
        assert_int_equal(told, lonely);
        assert_int_equal(resolved, lonely);
        close_stage(&s);
    }
}

/* ---- active ------------------------------------------------------------------------ */

#define HOUR (3600 * INT64_C(1000))

static void outside_active_it_is_muted_and_told_when_that_is_over(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    /* 1970-01-01 was a Thursday */
    r->incident.active = (tw_active_plan){
        .set = true, .days = 0x1f, .from_ms = 8 * HOUR, .to_ms = 18 * HOUR};
    level(&s, r, "night", CRIT, 3600);
    level(&s, r, "short", CRIT, 3700);
    level(&s, r, "short", OK, 3800);
    level(&s, r, "day", CRIT, 9 * 3600);
    assert_string_equal(s.told, "28800s firing crit night | 32400s firing crit day");
    level(&s, r, "day", OK, 19 * 3600); /* announced: told at any time */
    level(&s, r, "weekend", CRIT, 2 * 86400 + 9 * 3600);
    come_to(&s, 4 * 86400 + 8 * 3600);
    assert_null(strstr(s.told, "weekend"));
    come_to(&s, 4 * 86400 + 8 * 3600 + 1);
    assert_non_null(strstr(s.told, "374400s firing crit weekend"));
    assert_non_null(strstr(s.told, "68400s resolved crit day"));
    close_stage(&s);
}

static void hours_may_pass_midnight(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.active = (tw_active_plan){
        .set = true, .days = 0x8, .from_ms = 22 * HOUR, .to_ms = 6 * HOUR}; /* thu */
    level(&s, r, "thu21", CRIT, 21 * 3600);
    level(&s, r, "fri05", CRIT, 29 * 3600);
    level(&s, r, "fri07", CRIT, 31 * 3600);
    level(&s, r, "fri23", CRIT, 47 * 3600);
    assert_string_equal(s.told, "79200s firing crit thu21 | 104400s firing crit fri05");
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inhibitor_that_fires_holds_it_back),
        cmocka_unit_test(it_waits_for_the_inhibitor_to_appear),
        cmocka_unit_test(behind_the_wait_it_is_told),
        cmocka_unit_test(it_is_told_when_the_inhibitor_resolves_first),
        cmocka_unit_test(an_outage_within_the_wait_changes_nothing_seen_or_not),
        cmocka_unit_test(an_outage_that_comes_again_within_the_wait_holds_it_back),
        cmocka_unit_test(what_ends_with_its_inhibitor_is_not_told),
        cmocka_unit_test(what_was_announced_resolves_although_inhibited),
        cmocka_unit_test(only_that_level_and_equal_labels_inhibit),
        cmocka_unit_test(a_fall_below_that_level_lets_go),
        cmocka_unit_test(match_looks_at_labels_and_the_current_level),
        cmocka_unit_test(what_a_level_holds_back_is_told_when_it_is_another),
        cmocka_unit_test(of_two_that_inhibit_one_another_the_first_is_told),
        cmocka_unit_test(the_waits_of_inhibitor_and_group_run_side_by_side),
        cmocka_unit_test(one_that_is_inhibited_while_its_group_waits_is_left_out),
        cmocka_unit_test(inside_the_wait_no_order_pages_wrongly),
        cmocka_unit_test(outside_active_it_is_muted_and_told_when_that_is_over),
        cmocka_unit_test(hours_may_pass_midnight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
