// SPDX-License-Identifier: Apache-2.0
/* A rule that says which name it had: what is wrong with that, and what is saved under the old name. */
#include "engine_fixture.h"

/* A rule of that name with these options beside what a rule needs. */
static char *rule_of(char *out, size_t size, const char *name, const char *options)
{
    snprintf(
        out, size,
        "rule \"%s\" {\n"
        "  %s\n"
        "  key = { \"service\" }, inputs = { req = from \"requests\" {} },\n"
        "  detect = level { of = count \"req\", over = \"1m\", crit = { at_least = 3 "
        "} },\n"
        "  alert = incident { id = \"err:${service}\" },\n"
        "}\n",
        name, options);
    return out;
}

static void load_two(rules_fixture *x, const char *first, const char *first_options,
                     const char *second, const char *second_options)
{
    char a[600], b[600], both[1300];

    snprintf(both, sizeof both, "%s%s", rule_of(a, sizeof a, first, first_options),
             rule_of(b, sizeof b, second, second_options));
    load_rules(x, both);
}

static void names_of_before_are_kept_with_the_rule(void **state)
{
    char text[600];
    const tw_rule *r = one_rule(
        *state, rule_of(text, sizeof text, "a/new", "was = { \"a/old\", \"b/old\" },"));

    assert_int_equal(r->was_count, 2);
    assert_true(tw_rule_was(r, "b/old"));
    assert_false(tw_rule_was(r, "a/new"));
}

static void a_rule_that_is_still_there_was_not_renamed(void **state)
{
    rules_fixture *x = *state;

    load_two(x, "a/old", "", "a/new", "was = \"a/old\",");
    assert_non_null(strstr(first_finding(x), "there still is a rule 'a/old'"));
    assert_non_null(strstr(first_finding(x), "rule.lua:1"));
    assert_int_equal(x->findings.items[0].err.line, 8);
}

static void two_rules_cannot_have_been_the_same_one(void **state)
{
    rules_fixture *x = *state;

    load_two(x, "a/one", "was = \"a/old\",", "a/two", "was = { \"b/old\", \"a/old\" },");
    assert_non_null(
        strstr(first_finding(x), "another rule, too, says that it was 'a/old'"));
}

static void what_is_no_former_name_is_refused(void **state)
{
    static const struct {
        const char *options, *said;
    } cases[] = {{"was = \"a/new\",", "was names the rule itself"},
                 {"was = \"old\",", "was is the name that the rule had"},
                 {"was = 7,", "was is the name that the rule had"},
                 {"was = {},", "was is a name or a list"},
                 {"was = { \"a/old\", \"a/old\" },", "was names 'a/old' twice"},
                 {"was = { old = \"a/old\" },", "was is a name or a list"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[600];
        load_rules(*state, rule_of(text, sizeof text, "a/new", cases[i].options));
        if (!strstr(first_finding(*state), cases[i].said))
            fail_msg("%s: %s", cases[i].options, first_finding(*state));
    }
}

/* ---- saved state ------------------------------------------------------------------- */

static void put(replay_desk *d, int64_t at_ms)
{
    replay_put(d, at_ms, "requests", "{\"service\":\"cart\"}");
}

/* Two of three events, saved under the first names; the third under the second ones. */
static uint32_t fired_across(rules_fixture *x, const char *before, const char *after)
{
    replay_desk d;
    tw_buf bytes;
    tw_err err = {0};

    load_rules(x, before);
    assert_string_equal(first_finding(x), "");
    replay_open(&d, x, 0);
    put(&d, T);
    put(&d, T + 1000);
    replay_save(&d, &bytes);
    tw_replay_free(d.replay);
    load_rules(x, after);
    assert_string_equal(first_finding(x), "");
    replay_open(&d, x, 0);
    assert_int_equal(replay_load(&d, bytes.data, bytes.len, &err), TW_OK);
    put(&d, T + 2000);
    uint32_t fired = d.fired;
    tw_replay_free(d.replay);
    tw_buf_done(&bytes);
    return fired;
}

static void state_saved_under_the_old_name_is_taken(void **state)
{
    char before[600], after[600];

    rule_of(before, sizeof before, "a/old", "");
    assert_int_equal(
        fired_across(*state, before,
                     rule_of(after, sizeof after, "a/new", "was = \"a/old\",")),
        1);
    assert_int_equal(
        fired_across(*state, before, rule_of(after, sizeof after, "a/new", "")), 0);
}

/* `was` stays in the file, and by now there is another rule's state under that name. */
static void what_is_saved_under_the_own_name_comes_first(void **state)
{
    char before[1300], a[600], b[600], after[600];

    snprintf(before, sizeof before, "%s%s", rule_of(a, sizeof a, "a/new", ""),
             rule_of(b, sizeof b, "a/old", ""));
    assert_int_equal(
        fired_across(*state, before,
                     rule_of(after, sizeof after, "a/new", "was = \"a/old\",")),
        1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_of_before_are_kept_with_the_rule,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(a_rule_that_is_still_there_was_not_renamed,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(two_rules_cannot_have_been_the_same_one,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(what_is_no_former_name_is_refused, open_rules,
                                        shut_rules),
        cmocka_unit_test_setup_teardown(state_saved_under_the_old_name_is_taken,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(what_is_saved_under_the_own_name_comes_first,
                                        open_rules, shut_rules)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
