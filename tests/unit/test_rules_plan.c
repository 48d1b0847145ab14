// SPDX-License-Identifier: Apache-2.0
/* From a rule file to its plan: one test a feature of the language. */
#include "rules_fixture.h"

static void the_reference_job_compiles_to_a_plan(void **state)
{
    const tw_rule *r = one_rule(
        *state,
        "rule \"bench/errors_per_host\" { key = {\"host\"}, inputs = { ev = from "
        "\"events\" { severity = \"error\" } }, detect = level { of = count \"ev\", "
        "over = \"5m\", crit = { at_least = 30 } }, alert = incident { id = "
        "\"errors:${host}\", route = \"ops\", title = \"${value} errors on ${host}\" } "
        "}");

    assert_string_equal(r->name, "bench/errors_per_host");
    assert_int_equal(r->line, 1);
    assert_int_equal(r->key_count, 1);
    assert_string_equal(r->key_names[0], "host");
    assert_int_equal(r->input_count, 1);
    assert_string_equal(r->inputs[0].name, "ev");
    assert_string_equal(r->inputs[0].stream->name, "events");
    assert_int_equal(r->inputs[0].match->count, 1);
    assert_int_equal(r->inputs[0].match->items[0].op, TW_MATCH_EQ);
    assert_int_equal(r->inputs[0].where_fn, TW_NO_FN);
    assert_int_equal(r->detector, TW_DETECT_LEVEL);
    assert_int_equal(r->level.agg_count, 1);
    assert_int_equal(r->level.aggs[0].kind, TW_AGG_COUNT);
    assert_int_equal(r->level.value_count, 1);
    assert_string_equal(r->level.value_names[0], "value");
    assert_int_equal(r->level.values[0].count, 1);
    assert_int_equal(r->level.window.kind, TW_WINDOW_SLIDING);
    assert_int_equal(r->level.window.over_ms, 300000);
    assert_true(r->level.levels[TW_LEVEL_CRIT].at_least.set);
    assert_false(r->level.levels[TW_LEVEL_WARN].used);
    assert_true(r->incident.set && r->incident.has_route && r->incident.has_title);
    assert_int_equal(r->incident.title.count, 3);
    assert_int_equal(r->incident.title.parts[0].kind, TW_PART_RESULT);
    assert_int_equal(r->incident.title.parts[2].kind, TW_PART_KEY);
    assert_int_equal(r->carried_count, 0);
    assert_int_equal(r->forget_ms, 300000 + 3600000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_reference_job_compiles_to_a_plan, open_rules,
                                        shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
