// SPDX-License-Identifier: Apache-2.0
/* What is told of an incident from its opening to its end: notify, resolved, resolve, remind, flap. */
#include "incident_fixture.h"

static void rises_are_told_and_falls_are_not(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    level(&s, r, "h", WARN, 1);
    level(&s, r, "h", CRIT, 2);
    level(&s, r, "h", WARN, 3);
    level(&s, r, "h", CRIT, 4);
    level(&s, r, "h", OK, 5);
    assert_string_equal(s.told,
                        "1s firing warn h | 2s firing crit h | 5s resolved crit h");
    close_stage(&s);
}

static void notify_changes_tells_falls_too(void **state)
{
    stage s;
    char fall[40];
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.notify = TW_NOTIFY_CHANGES;
    level(&s, r, "h", CRIT, 1);
    level(&s, r, "h", WARN, 2);
    snprintf(fall, sizeof fall, "%s", s.last_id);
    level(&s, r, "h", CRIT, 3);
    level(&s, r, "h", WARN, 4);
    assert_string_not_equal(s.last_id, fall);
    level(&s, r, "h", OK, 5);
    assert_string_equal(s.told,
                        "1s firing crit h | 2s firing warn h | 3s firing crit h | "
                        "4s firing warn h | 5s resolved crit h");
    close_stage(&s);
}

static void notify_first_tells_only_firing_and_resolve(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.notify = TW_NOTIFY_FIRST;
    level(&s, r, "h", WARN, 1);
    level(&s, r, "h", CRIT, 2);
    level(&s, r, "h", OK, 3);
    assert_string_equal(s.told, "1s firing warn h | 3s resolved crit h");
    close_stage(&s);
}

static void resolved_false_keeps_resolves_to_itself(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.keeps_resolve = true;
    level(&s, r, "h", WARN, 1);
    level(&s, r, "h", OK, 3);
    level(&s, r, "h", WARN, 5);
    assert_string_equal(s.told, "1s firing warn h | 5s firing warn h");
    close_stage(&s);
}

static void a_fall_opens_nothing_where_the_incident_has_ended_otherwise(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    level(&s, r, "h", CRIT, 1);
    send_kind(&s, r, TW_SIGNAL_RESOLVE, "h", "z", OK, 2); /* as resolve.on does */
    s.from = CRIT;
    level(&s, r, "h", WARN, 3);
    s.from = WARN;
    level(&s, r, "h", CRIT, 4);
    assert_string_equal(s.told,
                        "1s firing crit h | 2s resolved crit h | 4s firing crit h");
    close_stage(&s);
}

/* In order, the event at 3 would have ended the first and the second would have opened anew. */
static void a_late_event_of_resolve_on_leaves_what_was_raised_since(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.resolve_after_ms = 1000 * SECOND;
    s.by_event = true;
    occur(&s, r, "h", 1);
    occur(&s, r, "h", 5);
    level(&s, r, "i", WARN, 2);
    s.from = WARN;
    level(&s, r, "i", CRIT, 6);
    s.from = CRIT;
    level(&s, r, "i", WARN, 7);
    s.told[s.told_size = 0] = '\0';
    send_kind(&s, r, TW_SIGNAL_RESOLVE, "h", "z", OK, 3);
    send_kind(&s, r, TW_SIGNAL_RESOLVE, "i", "z", OK, 5);
    assert_string_equal(s.told, "");
    send_kind(&s, r, TW_SIGNAL_RESOLVE, "h", "z", OK, 5);
    send_kind(&s, r, TW_SIGNAL_RESOLVE, "i", "z", OK, 6);
    assert_string_equal(s.told, "5s resolved crit h | 6s resolved crit i");
    close_stage(&s);
}

static void acknowledge(stage *s, const char *id)
{
    assert_int_equal(tw_incidents_ack(s->incidents, id, "ann", s->now.virtual_ms, NULL),
                     TW_OK);
}

static void silence(stage *s, int64_t until_s)
{
    json_t *order = json_pack("{s:{s:s}, s:I}", "match", "zone", "z", "until",
                              (json_int_t)(until_s * SECOND));
    assert_int_equal(
        tw_incidents_silence(s->incidents, order, s->now.virtual_ms, NULL, NULL), TW_OK);
    json_decref(order);
}

static void what_somebody_has_taken_is_not_told_when_a_silence_ends(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    level(&s, r, "h", WARN, 1);
    level(&s, r, "i", WARN, 1);
    silence(&s, 20);
    level(&s, r, "k", WARN, 3); /* never told, and taken all the same */
    acknowledge(&s, "h");
    acknowledge(&s, "k");
    come_to(&s, 30);
    level(&s, r, "h", CRIT, 31);
    level(&s, r, "k", CRIT, 32);
    level(&s, r, "k", OK, 33);
    assert_string_equal(s.told, "1s firing warn h | 1s firing warn i | "
                                "20s firing warn i | 31s firing crit h | "
                                "32s firing crit k | 33s resolved crit k");
    close_stage(&s);
}

static void what_is_taken_while_a_silence_lasts_stays_quiet_at_its_end(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    level(&s, r, "h", WARN, 1);
    silence(&s, 20);
    level(&s, r, "h", CRIT, 2);
    acknowledge(&s, "h");
    level(&s, r, "h", OK, 40);
    assert_string_equal(s.told, "1s firing warn h | 40s resolved crit h");
    close_stage(&s);
}

static void further_occurrences_push_the_resolve_out(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.resolve_after_ms = 10 * SECOND;
    occur(&s, r, "h", 1);
    occur(&s, r, "h", 8);
    come_to(&s, 18);
    assert_string_equal(s.told, "1s firing crit h");
    come_to(&s, 19);
    assert_string_equal(s.told, "1s firing crit h | 18s resolved crit h");
    close_stage(&s);
}

static void from_first_counts_from_the_opening(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.resolve_after_ms = 10 * SECOND;
    r->incident.resolve_from_first = true;
    occur(&s, r, "h", 1);
    occur(&s, r, "h", 8);
    come_to(&s, 12);
    assert_string_equal(s.told, "1s firing crit h | 11s resolved crit h");
    close_stage(&s);
}

static void after_false_never_resolves_by_time(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.resolve_after_ms = TW_AFTER_NEVER;
    occur(&s, r, "h", 1);
    come_to(&s, 1000000);
    assert_string_equal(s.told, "1s firing crit h");
    send_kind(&s, r, TW_SIGNAL_RESOLVE, "h", "z", OK, 1000000);
    assert_string_equal(s.told, "1s firing crit h | 1000000s resolved crit h");
    close_stage(&s);
}

static void remind_repeats_what_still_fires(void **state)
{
    stage s;
    char first[40];
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.remind_ms = 100 * SECOND;
    level(&s, r, "h", WARN, 1);
    come_to(&s, 102);
    snprintf(first, sizeof first, "%s", s.last_id);
    level(&s, r, "h", CRIT, 150);
    come_to(&s, 251);
    assert_string_not_equal(s.last_id, first);
    level(&s, r, "h", OK, 260);
    come_to(&s, 1000);
    assert_string_equal(s.told, "1s firing warn h | 101s firing warn h reminder | "
                                "150s firing crit h | 250s firing crit h reminder | "
                                "260s resolved crit h");
    close_stage(&s);
}

static tw_rule *flapping_rule(stage *s)
{
    tw_rule *r = add_rule(s, "a/b", "${host}");
    r->incident.flap = (tw_flap_plan){
        .set = true, .max = 3, .within_ms = 60 * SECOND, .calm_ms = 30 * SECOND};
    return r;
}

static void too_many_changes_are_told_once_and_kept_firing(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = flapping_rule(&s);
    level(&s, r, "h", CRIT, 1);
    level(&s, r, "h", OK, 2);
    level(&s, r, "h", CRIT, 3);
    level(&s, r, "h", OK, 4); /* the fourth change */
    level(&s, r, "h", CRIT, 5);
    level(&s, r, "h", OK, 6);
    come_to(&s, 36);
    assert_string_equal(s.told,
                        "1s firing crit h | 2s resolved crit h | 3s firing crit h | "
                        "4s firing crit h flapping");
    come_to(&s, 37);
    assert_string_equal(s.told,
                        "1s firing crit h | 2s resolved crit h | 3s firing crit h | "
                        "4s firing crit h flapping | 36s resolved crit h");
    close_stage(&s);
}

static void calm_while_it_fires_takes_the_mark_away(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = flapping_rule(&s);
    level(&s, r, "h", WARN, 1);
    level(&s, r, "h", OK, 2);
    level(&s, r, "h", WARN, 3);
    level(&s, r, "h", OK, 4);
    level(&s, r, "h", WARN, 5);
    level(&s, r, "h", CRIT, 40); /* calm since 35: an ordinary rise */
    level(&s, r, "h", OK, 50);
    assert_string_equal(s.told,
                        "1s firing warn h | 2s resolved warn h | 3s firing warn h | "
                        "4s firing warn h flapping | 40s firing crit h | "
                        "50s resolved crit h");
    close_stage(&s);
}

static void a_rise_above_what_was_told_is_told_even_while_it_flaps(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = flapping_rule(&s);
    level(&s, r, "h", WARN, 1);
    level(&s, r, "h", OK, 2);
    level(&s, r, "h", WARN, 3);
    level(&s, r, "h", OK, 4);
    level(&s, r, "h", CRIT, 5);
    level(&s, r, "h", WARN, 6);
    level(&s, r, "h", CRIT, 7);
    assert_string_equal(s.told,
                        "1s firing warn h | 2s resolved warn h | 3s firing warn h | "
                        "4s firing warn h flapping | 5s firing crit h flapping");
    close_stage(&s);
}

static void changes_that_are_far_apart_do_not_flap(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = flapping_rule(&s);
    for (int i = 0; i < 10; i++)
        level(&s, r, "h", i % 2 ? OK : CRIT, 1 + 20 * i);
    assert_null(strstr(s.told, "flapping"));
    close_stage(&s);
}

static void a_key_that_holds_several_incidents_ends_all_of_them(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    tw_rule *same = add_rule(&s, "a/b", "other");
    occur(&s, r, "h", 1);
    occur(&s, same, "h", 2);
    send_kind(&s, r, TW_SIGNAL_RESOLVE, "h", "z", OK, 3);
    assert_string_equal(s.told, "1s firing crit h | 2s firing crit other | "
                                "3s resolved crit h | 3s resolved crit other");
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rises_are_told_and_falls_are_not),
        cmocka_unit_test(notify_changes_tells_falls_too),
        cmocka_unit_test(notify_first_tells_only_firing_and_resolve),
        cmocka_unit_test(resolved_false_keeps_resolves_to_itself),
        cmocka_unit_test(a_fall_opens_nothing_where_the_incident_has_ended_otherwise),
        cmocka_unit_test(a_late_event_of_resolve_on_leaves_what_was_raised_since),
        cmocka_unit_test(what_somebody_has_taken_is_not_told_when_a_silence_ends),
        cmocka_unit_test(what_is_taken_while_a_silence_lasts_stays_quiet_at_its_end),
        cmocka_unit_test(further_occurrences_push_the_resolve_out),
        cmocka_unit_test(from_first_counts_from_the_opening),
        cmocka_unit_test(after_false_never_resolves_by_time),
        cmocka_unit_test(remind_repeats_what_still_fires),
        cmocka_unit_test(too_many_changes_are_told_once_and_kept_firing),
        cmocka_unit_test(calm_while_it_fires_takes_the_mark_away),
        cmocka_unit_test(a_rise_above_what_was_told_is_told_even_while_it_flaps),
        cmocka_unit_test(changes_that_are_far_apart_do_not_flap),
        cmocka_unit_test(a_key_that_holds_several_incidents_ends_all_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
