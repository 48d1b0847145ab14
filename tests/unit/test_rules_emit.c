// SPDX-License-Identifier: Apache-2.0
/* `emit = to "stream" { ... }`: what it is compiled to, and what is wrong with chains of rules. */
#include "flow/plan_emit.h"
#include "rules_fixture.h"

#define RULE(name, from, rest)                                                           \
    "rule \"" name "\" { key = { \"host\" }, inputs = { ev = from \"" from               \
    "\" {} }, detect = level { of = count \"ev\", over = \"5m\", crit = { above = 5 } "  \
    "}, " rest " }\n"
#define ALERT "alert = incident { title = \"x\" }"
#define EMIT(stream) "emit = to \"" stream "\" { n = \"${value}\" }"

static void says(rules_fixture *x, const char *text, const char *finding)
{
    load_rules(x, text);
    for (size_t i = 0; i < x->findings.count; i++)
        if (strstr(x->findings.items[i].err.text, finding))
            return;
    fail_msg("expected '%s', got '%s'", finding, first_finding(x));
}

static const tw_emit_step *step_at(const tw_rule *r, uint32_t i)
{
    assert_true(i < r->emit->step_count);
    return &r->emit->steps[i];
}

static void an_emitted_event_has_time_key_and_level_before_its_own_fields(void **state)
{
    rules_fixture *x = *state;
    const tw_rule *r = one_rule(
        x, RULE("a/one", "events", "emit = to \"out\" { b = 1, a = \"${value}\" }"));

    assert_string_equal(r->emit->stream->name, "out");
    assert_int_equal(r->emit->step_count, 5);
    assert_string_equal(step_at(r, 0)->name, "\"time\":");
    assert_int_equal(step_at(r, 1)->kind, TW_EMIT_KEY);
    assert_int_equal(step_at(r, 2)->kind, TW_EMIT_LEVEL);
    assert_string_equal(step_at(r, 3)->name, "\"a\":");
    assert_int_equal(step_at(r, 3)->kind, TW_EMIT_TEMPLATE);
    assert_string_equal(step_at(r, 4)->literal, "1");
    assert_false(r->incident.set);
}

static void a_field_of_the_same_name_takes_the_place_of_the_engines(void **state)
{
    rules_fixture *x = *state;
    const tw_rule *r =
        one_rule(x, RULE("a/one", "events", "emit = to \"out\" { time = \"${start}\" }"));

    assert_int_equal(r->emit->step_count, 3);
    assert_int_equal(step_at(r, 2)->kind, TW_EMIT_TEMPLATE);
}

static void a_name_with_dots_makes_an_object(void **state)
{
    rules_fixture *x = *state;
    const tw_rule *r =
        one_rule(x, RULE("a/one", "events",
                         "emit = to \"out\" { [\"p.q\"] = 1, z = 2, [\"p.r\"] = true }"));

    assert_int_equal(step_at(r, 3)->kind, TW_EMIT_OPEN);
    assert_string_equal(step_at(r, 3)->name, "\"p\":");
    assert_string_equal(step_at(r, 4)->name, "\"q\":");
    assert_string_equal(step_at(r, 5)->name, "\"r\":");
    assert_int_equal(step_at(r, 6)->kind, TW_EMIT_CLOSE);
    assert_string_equal(step_at(r, 7)->name, "\"z\":");
}

static void what_cannot_be_a_field_is_told(void **state)
{
    rules_fixture *x = *state;

    says(x, RULE("a/one", "events", "emit = to \"out\" { a = 1, [\"a.b\"] = 2 }"),
         "'a' cannot be a field and lie around 'a.b'");
    says(x, RULE("a/one", "events", "emit = to \"out\" { a = { b = 1 } }"),
         "a name with dots makes an object");
    says(x, RULE("a/one", "events", "emit = to \"out\" { [\"a[0]\"] = 1 }"),
         "is an element of an array");
    says(x, RULE("a/one", "events", "emit = to \"out\" { [\"@time\"] = 1 }"),
         "cannot be the name of a field");
    says(x, RULE("a/one", "events", "emit = { a = 1 }"), "emit is to \"stream\"");
    says(x, RULE("a/one", "events", "emit = to \"requests\" { a = 1 }"),
         "is one of the configuration");
    says(x, RULE("a/one", "events", "emit = to \"@late\" { a = 1 }"),
         "begin with @ are the engine's");
    says(x, RULE("a/one", "events", "emit = to(P\"x\") { a = 1 }"), "written out");
}

static void a_stream_may_be_read_before_the_rule_that_emits_it(void **state)
{
    rules_fixture *x = *state;

    load_rules(x, RULE("a/reads", "out", ALERT) RULE("b/emits", "events", EMIT("out")));
    assert_string_equal(first_finding(x), "");
    assert_int_equal(tw_rule_files_rule_count(x->set), 2);
    assert_ptr_equal(tw_rule_files_rule(x->set, 0)->inputs[0].stream,
                     tw_rule_files_rule(x->set, 1)->emit->stream);
}

static void a_stream_of_nobody_is_told_with_the_nearest_name(void **state)
{
    rules_fixture *x = *state;

    says(x, RULE("a/reads", "trubble", ALERT) RULE("b/emits", "events", EMIT("trouble")),
         "there is no stream 'trubble' (did you mean 'trouble'?)");
    assert_int_equal(x->findings.items[0].err.line, 1);
    assert_true(x->findings.items[0].err.column > 1);
}

static void a_stream_that_no_rule_emits_any_more_is_told(void **state)
{
    rules_fixture *x = *state;

    load_rules(x, RULE("a/reads", "out", ALERT) RULE("b/emits", "events", EMIT("out")));
    assert_string_equal(first_finding(x), "");
    says(x, RULE("a/reads", "out", ALERT), "there is no stream 'out'");
    says(x, RULE("a/reads", "out", ALERT) "-- to \"out\"\nlocal to_old = to \"out\"\n",
         "there is no stream 'out'");
}

static void a_circle_names_the_rules_on_it(void **state)
{
    rules_fixture *x = *state;

    says(x,
         RULE("a/one", "three", EMIT("one")) RULE("b/two", "one", EMIT("two"))
             RULE("c/three", "two", EMIT("three")),
         "a/one -> b/two -> c/three -> a/one");
    assert_true(x->findings.items[0].err.line > 0 && x->findings.items[0].err.column > 1);
    says(x, RULE("a/self", "self", EMIT("self")), "a/self -> a/self");
}

static void a_rule_without_a_detector_needs_no_key_and_bears_no_alert(void **state)
{
    rules_fixture *x = *state;
    const tw_rule *r =
        one_rule(x, "rule \"a/pass\" { inputs = { ev = from \"events\" {} }, "
                    "enrich = { owner = lookup { \"service_owner\", key = "
                    "\"service\" } }, emit = to \"out\" {} }");

    assert_int_equal(r->detector, TW_DETECT_PASS);
    assert_int_equal(r->key_count, 0);
    assert_int_equal(step_at(r, 0)->kind, TW_EMIT_ROW);
    says(x,
         "rule \"a/pass\" { inputs = { ev = from \"events\" {} }, emit = to \"out\" "
         "{}, " ALERT " }",
         "an alert needs detect");
}

static void a_measure_takes_no_levels_and_no_alert(void **state)
{
    rules_fixture *x = *state;
    static const char head[] = "rule \"a/m\" { key = { \"host\" }, inputs = { ev = from "
                               "\"events\" {} }, detect = measure { of = count \"ev\", ";
    char text[512];
    const tw_rule *r;

    snprintf(text, sizeof text, "%s every = \"1m\" }, emit = to \"out\" {} }", head);
    r = one_rule(x, text);
    assert_int_equal(r->detector, TW_DETECT_MEASURE);
    assert_string_equal(step_at(r, 2)->name, "\"value\":");
    snprintf(text, sizeof text,
             "%s every = \"1m\", crit = { above = 1 } }, emit = to "
             "\"out\" {} }",
             head);
    says(x, text, "'crit' is not an option of measure");
    snprintf(text, sizeof text, "%s every = \"1m\" }, " ALERT " }", head);
    says(x, text, "a measure never fires");
}

static void dedup_needs_its_fields_and_its_bound(void **state)
{
    rules_fixture *x = *state;
    const tw_rule *r =
        one_rule(x, RULE("a/one", "events",
                         "dedup = { by = { \"a.b\", \"c\" }, within = \"5m\" }, " ALERT));

    assert_int_equal(r->dedup->by_count, 2);
    assert_int_equal(r->dedup->within_ms, 300000);
    says(x, RULE("a/one", "events", "dedup = { by = \"id\" }, " ALERT),
         "dedup needs both");
    says(x, RULE("a/one", "events", "dedup = { by = 5, within = \"5m\" }, " ALERT),
         "by is a field or a list of fields");
    says(x, RULE("a/one", "events", "dedup = { by = \"id\", witin = \"5m\" }, " ALERT),
         "did you mean 'within'?");
}

static bool sends_nothing(const void *self, const char *stream)
{
    (void)self, (void)stream;
    return false;
}

static void what_goes_nowhere_is_a_warning(void **state)
{
    rules_fixture *x = *state;

    x->options.sends = sends_nothing;
    says(x, RULE("a/emits", "events", EMIT("out")), "goes nowhere");
    assert_true(x->findings.items[0].warning);
    load_rules(x, RULE("a/emits", "events", EMIT("out")) RULE("b/reads", "out", ALERT));
    assert_string_equal(first_finding(x), "");
    x->options.sends = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_emitted_event_has_time_key_and_level_before_its_own_fields, open_rules,
            shut_rules),
        cmocka_unit_test_setup_teardown(
            a_field_of_the_same_name_takes_the_place_of_the_engines, open_rules,
            shut_rules),
        cmocka_unit_test_setup_teardown(a_name_with_dots_makes_an_object, open_rules,
                                        shut_rules),
        cmocka_unit_test_setup_teardown(what_cannot_be_a_field_is_told, open_rules,
                                        shut_rules),
        cmocka_unit_test_setup_teardown(
            a_stream_may_be_read_before_the_rule_that_emits_it, open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(a_stream_of_nobody_is_told_with_the_nearest_name,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(a_stream_that_no_rule_emits_any_more_is_told,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(a_circle_names_the_rules_on_it, open_rules,
                                        shut_rules),
        cmocka_unit_test_setup_teardown(
            a_rule_without_a_detector_needs_no_key_and_bears_no_alert, open_rules,
            shut_rules),
        cmocka_unit_test_setup_teardown(a_measure_takes_no_levels_and_no_alert,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(dedup_needs_its_fields_and_its_bound, open_rules,
                                        shut_rules),
        cmocka_unit_test_setup_teardown(what_goes_nowhere_is_a_warning, open_rules,
                                        shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
