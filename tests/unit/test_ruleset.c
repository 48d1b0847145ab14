// SPDX-License-Identifier: Apache-2.0
/* Generations of rules: what is refused when one is built. */
#include "rules_fixture.h"

#include "ruleset.h"

static void fill_tracks(tw_ground *ground, uint32_t but)
{
    while (ground->tracks.count < TW_MAX_TRACKS - but)
        tw_tracks_number(&ground->tracks, 1000, ground->tracks.count, -1);
}

static const char own_time[] =
    "rule \"a/own_time\" { key = \"host\", clock = { time = \"ts\" },\n"
    "inputs = { ev = from \"events\" {} }, alert = incident {},\n"
    "detect = level { of = last(\"ev\", \"v\"), crit = { above = 5 } } }";

static void a_time_line_too_many_is_told_and_takes_nothing(void **state)
{
    rules_fixture *x = *state;
    tw_ground ground;
    tw_err err = {0};

    tw_ground_init(&ground);
    fill_tracks(&ground, 1); /* room for the stream's own, not for the rule's */
    one_rule(x, own_time);
    assert_null(tw_ruleset_new(x->set, x->options.streams, &ground, 1, &err));
    assert_int_equal(err.code, TW_ELIMIT);
    assert_non_null(strstr(err.text, "a/own_time: no more room for time lines"));
    assert_int_equal(ground.tracks.count, TW_MAX_TRACKS - 1);
    tw_ground_done(&ground);
}

static void a_stream_without_room_for_its_time_is_told(void **state)
{
    rules_fixture *x = *state;
    tw_ground ground;
    tw_err err = {0};

    tw_ground_init(&ground);
    fill_tracks(&ground, 0);
    one_rule(x, own_time);
    assert_null(tw_ruleset_new(x->set, x->options.streams, &ground, 1, &err));
    assert_non_null(strstr(err.text, "events (stream): no more room"));
    tw_ground_done(&ground);
}

static void what_just_fits_is_built(void **state)
{
    rules_fixture *x = *state;
    tw_ground ground;
    tw_err err = {0};

    tw_ground_init(&ground);
    fill_tracks(&ground, 2);
    one_rule(x, own_time);
    tw_ruleset *set = tw_ruleset_new(x->set, x->options.streams, &ground, 1, &err);
    assert_non_null(set);
    assert_int_equal(set->rule_count, 1);
    tw_ruleset_free(set);
    tw_ground_done(&ground);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_time_line_too_many_is_told_and_takes_nothing,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(a_stream_without_room_for_its_time_is_told,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(what_just_fits_is_built, open_rules, shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
