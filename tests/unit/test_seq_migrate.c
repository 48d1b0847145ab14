// SPDX-License-Identifier: Apache-2.0
/* Open matches of one version of a rule under the next: which go on by themselves, and what `migrate` makes
 * of the others. */
#include "rules_fixture.h"

#include "engine.h"
#include "replay.h"

#define T INT64_C(1732182000000)
#define SECOND INT64_C(1000)

typedef struct desk {
    tw_replay *replay;
    char told[512]; /* "12 title | 13 title" */
} desk;

static void on_output(void *self, int64_t at_ms, const json_t *object)
{
    desk *d = self;
    size_t used = strlen(d->told);

    snprintf(d->told + used, sizeof d->told - used, "%s%lld %s", used ? " | " : "",
             (long long)((at_ms - T) / SECOND),
             json_string_value(json_object_get(object, "title")));
}

/* Inputs a b c d are requests of that kind. */
static tw_rule_files *load_steps(rules_fixture *x, const char *inputs, const char *steps,
                                 const char *rest)
{
    char text[1600];
    size_t used = (size_t)snprintf(text, sizeof text,
                                   "rule \"ops/it\" {\n  key = { \"service\" },\n"
                                   "  inputs = { ");

    for (const char *in = inputs; *in; in++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%c = from \"requests\" { kind = \"%c\" }, ", *in, *in);
    snprintf(text + used, sizeof text - used,
             "},\n  detect = seq { %s, within = \"5m\" },\n  %s\n}\n", steps, rest);
    load_rules(x, text);
    assert_string_equal(first_finding(x), "");
    return tw_rule_files_ref(x->set);
}

static void open_desk(desk *d, const rules_fixture *x, tw_rule_files *files)
{
    tw_replay_options options = {.files = files,
                                 .streams = x->options.streams,
                                 .until_ms = TW_TIME_NONE,
                                 .output = on_output,
                                 .output_self = d};
    tw_err err = {0};

    *d = (desk){0};
    d->replay = tw_replay_new(&options, NULL, &err);
    assert_non_null(d->replay);
}

/* One event a second, each letter its kind; its number is the second. */
static void put_all(desk *d, const char *kinds, int64_t from_s)
{
    for (; *kinds; kinds++, from_s++) {
        char json[80];
        tw_err err = {0};
        snprintf(json, sizeof json, "{\"service\":\"s\",\"kind\":\"%c\",\"n\":%lld}",
                 *kinds, (long long)from_s);
        assert_int_equal(tw_replay_move(d->replay, T + from_s * SECOND, &err), TW_OK);
        assert_int_equal(tw_replay_event(d->replay, "requests", 0, json, strlen(json),
                                         TW_TIME_NONE, &err),
                         TW_OK);
    }
}

typedef struct version {
    const char *inputs, *steps, *rest;
} version;

/* What is told when the rule is edited between the two strings of events. */
static void edit(rules_fixture *x, const version *old, const char *before,
                 const version *fresh, const char *after, bool restarts, const char *told)
{
    desk d;
    tw_err err = {0};
    tw_rule_files *first = load_steps(x, old->inputs, old->steps, old->rest);
    tw_rule_files *second = load_steps(x, fresh->inputs, fresh->steps, fresh->rest);

    open_desk(&d, x, first);
    put_all(&d, before, 0);
    assert_int_equal(tw_replay_switch(d.replay, second, &err), TW_OK);
    if (restarts && tw_replay_restart(d.replay, &err) < 0)
        fail_msg("%s", err.text);
    put_all(&d, after, 50);
    tw_replay_end(d.replay);
    assert_string_equal(d.told, told);
    tw_replay_free(d.replay);
    tw_rule_files_unref(first);
    tw_rule_files_unref(second);
}

#define TITLE(text) "alert = incident { id = \"i:${service}\", title = \"" text "\" },"
#define ANSWER(step) "migrate = function(old) return \"" step "\" end, "

static const version two = {"ab", "{ \"a\", as = \"x\" }, { \"b\", as = \"y\" }",
                            TITLE("${x.n} ${y.n}")};

static void a_new_input_in_the_middle_keeps_those_before_it(void **state)
{
    version fresh = {"acb", "{ \"a\", as = \"x\" }, { \"c\" }, { \"b\", as = \"y\" }",
                     TITLE("${x.n} ${y.n}")};

    edit(*state, &two, "a", &fresh, "bcb", false, "52 0 52");
}

static void without_migrate_those_beyond_are_dropped(void **state)
{
    version old = {"abd", "{ \"a\", as = \"x\" }, { \"b\", as = \"y\" }, { \"d\" }",
                   TITLE("${x.n} ${y.n}")};
    version fresh = {"acbd",
                     "{ \"a\", as = \"x\" }, { \"c\" }, { \"b\", as = \"y\" }, { "
                     "\"d\" }",
                     TITLE("${x.n} ${y.n}")};

    edit(*state, &old, "ab", &fresh, "dcbd", false, "");
}

static void it_goes_on_from_the_step_that_migrate_names(void **state)
{
    version old = {"abd", "{ \"a\", as = \"x\" }, { \"b\", as = \"y\" }, { \"d\" }",
                   TITLE("${x.n} ${y.n}")};
    version fresh = {"acbd",
                     "{ \"a\", as = \"x\" }, { \"c\" }, { \"b\", as = \"y\" }, { "
                     "\"d\" }",
                     "migrate = function(old)\n"
                     "  assert(old.step == \"d\" and old.key.service == \"s\")\n"
                     "  assert(old.taken.x.n == 0 and old.taken.y.n == 1)\n"
                     "  return \"d\"\n"
                     "end, " TITLE("${x.n} ${y.n}")};

    edit(*state, &old, "ab", &fresh, "d", false, "50 0 1");
    edit(*state, &old, "ab", &fresh, "d", true, "50 0 1");
}

static void another_first_step_counts_as_done_and_has_no_fields(void **state)
{
    version fresh = {"cab",
                     "{ \"c\", as = \"z\" }, { \"a\", as = \"x\" }, { \"b\", as = "
                     "\"y\" }",
                     ANSWER("x") TITLE("${z.n}.${x.n} ${y.n}")};

    edit(*state, &two, "a", &fresh, "ab", false, "51 .50 51");
    edit(*state, &two, "a", &fresh, "ab", true, "51 .50 51");
}

static void a_step_back_forgets_what_came_after(void **state)
{
    version old = {"abd", "{ \"a\", as = \"x\" }, { \"b\", as = \"y\" }, { \"d\" }",
                   TITLE("${x.n} ${y.n}")};
    version fresh = {"acbd",
                     "{ \"a\", as = \"x\" }, { \"c\" }, { \"b\", as = \"y\" }, { "
                     "\"d\" }",
                     ANSWER("c") TITLE("${x.n} ${y.n}")};

    edit(*state, &old, "ab", &fresh, "dcbd", false, "53 0 52");
}

static void what_it_has_begun_of_the_step_counts(void **state)
{
    version old = {"ab", "{ \"a\", as = \"x\" }, { \"b\", as = \"y\", times = 4 }",
                   TITLE("${x.n} ${y.count}")};
    version fresh = {"acb",
                     "{ \"a\", as = \"x\" }, { \"c\" }, { \"b\", as = \"y\", times "
                     "= 3 }",
                     ANSWER("y") TITLE("${x.n} ${y.count} ${y.first.n} ${y.last.n}")};

    edit(*state, &old, "abb", &fresh, "b", false, "50 0 3 1 50");
    edit(*state, &old, "abb", &fresh, "b", true, "50 0 3 1 50");
}

static void a_list_becomes_its_last_event_and_one_becomes_a_list(void **state)
{
    version list = {"abd",
                    "{ \"a\", as = \"x\", times = 2 }, { \"b\", as = \"y\" }, { "
                    "\"d\" }",
                    TITLE("${x.last.n} ${y.n}")};
    version one = {"abd", "{ \"a\", as = \"x\" }, { \"b\", as = \"y\" }, { \"d\" }",
                   ANSWER("d") TITLE("${x.n} ${y.n}")};
    version again = {"abd", list.steps,
                     ANSWER("d") TITLE("${x.count} ${x.last.n} ${y.n}")};

    edit(*state, &list, "aab", &one, "d", false, "50 1 2");
    edit(*state, &one, "ab", &again, "d", false, "50 1 0 1");
}

static void an_optional_step_without_events_is_passed_over(void **state)
{
    version fresh = {"cab",
                     "{ \"c\", as = \"z\" }, { \"a\", as = \"x\", optional = true "
                     "}, { \"b\", as = \"y\" }",
                     ANSWER("y") TITLE("${z.n}-${y.n}")};
    version old = {"db", "{ \"d\" }, { \"b\", as = \"y\" }", TITLE("x")};

    edit(*state, &old, "d", &fresh, "b", false, "50 -50");
}

static void nothing_is_before_the_first_step(void **state)
{
    version fresh = {"cab", "{ \"c\", as = \"z\" }, { \"a\" }, { \"b\", as = \"y\" }",
                     ANSWER("z") TITLE("${y.n}")};

    edit(*state, &two, "a", &fresh, "ab", false, "");
    edit(*state, &two, "a", &fresh, "cab", false, "52 52");
}

/* At its own time, as every deadline. */
static void a_wait_that_is_over_by_then_fires_at_once(void **state)
{
    version old = {"abd", "{ \"a\", as = \"x\" }, { \"d\" }", TITLE("${x.n}")};
    version fresh = {"abd",
                     "{ \"a\", as = \"x\" }, { absent = \"b\", lasting = \"10s\" }",
                     ANSWER("absent b") TITLE("${x.n} stays")};

    edit(*state, &old, "accc", &fresh, "", false, "");
    edit(*state, &old, "a", &fresh, "d", false, "10 0 stays");
}

/* An event that waits for the clock is of the same input by another number. */
static void events_that_wait_keep_their_input(void **state)
{
    version old = {"ab", two.steps,
                   "clock = { lateness = \"10s\" }, " TITLE("${x.n} ${y.n}")};
    version fresh = {"cab",
                     "{ \"c\", optional = true }, { \"a\", as = \"x\" }, { \"b\", as "
                     "= \"y\" }",
                     "clock = { lateness = \"10s\" }, " ANSWER("x")
                         TITLE("${x.n} ${y.n}")};

    edit(*state, &old, "ab", &fresh, "d", false, "1 0 1");
}

static void migrate_is_a_function_of_a_seq(void **state)
{
    rules_fixture *x = *state;

    load_rules(x,
               "rule \"a/b\" { key = \"k\", inputs = { ev = from \"events\" {} }, detect "
               "= level { of = count \"ev\", over = \"5m\", crit = { above = 1 } },\n"
               "migrate = function(old) end, alert = incident {} }");
    assert_non_null(strstr(first_finding(x), "migrate moves the open matches of a seq"));
    load_rules(x,
               "rule \"a/b\" { key = \"k\", inputs = { ev = from \"events\" {} }, detect "
               "= seq { { \"ev\" }, { \"ev\", within = \"5m\" } },\n"
               "migrate = \"d\", alert = incident {} }");
    assert_non_null(strstr(first_finding(x), "migrate is a function"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_rules, shut_rules)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_input_in_the_middle_keeps_those_before_it),
        TEST(without_migrate_those_beyond_are_dropped),
        TEST(it_goes_on_from_the_step_that_migrate_names),
        TEST(another_first_step_counts_as_done_and_has_no_fields),
        TEST(a_step_back_forgets_what_came_after),
        TEST(what_it_has_begun_of_the_step_counts),
        TEST(a_list_becomes_its_last_event_and_one_becomes_a_list),
        TEST(an_optional_step_without_events_is_passed_over),
        TEST(nothing_is_before_the_first_step),
        TEST(a_wait_that_is_over_by_then_fires_at_once),
        TEST(events_that_wait_keep_their_input),
        TEST(migrate_is_a_function_of_a_seq)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
