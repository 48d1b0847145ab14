// SPDX-License-Identifier: Apache-2.0
/* What `tidewatch plan` says of an edit: the table of docs/RULES.md, "Reload", row by row. */
#include "rules_fixture.h"

#include "changes.h"

typedef struct edit_row {
    const char *before, *after; /* what stands in the rule's table */
    const char *state, *why;    /* why: a part of it */
    int64_t warming_ms;
} edit_row;

#define HEAD                                                                             \
    "key = \"host\", inputs = { ev = from \"events\" {}, req = from \"requests\" {} }, "
#define ALERT ", alert = incident {}"
#define LEVEL(of, rest) HEAD "detect = level { of = " of ", " rest " }" ALERT
#define ABOVE(n) "crit = { above = " n " }"
#define JOIN(rest) HEAD "detect = join { \"ev\", \"req\", " rest " }" ALERT
#define SEQ(rest) HEAD "detect = seq { " rest " }" ALERT
#define CHANGE(rest) HEAD "detect = change { \"ev\", " rest " }" ALERT
#define MISSING(rest) HEAD "detect = missing { \"ev\", " rest " }" ALERT
#define SESSION(rest) HEAD "detect = session { " rest " }" ALERT
#define IMPACT(rest)                                                                     \
    HEAD "detect = impact { event = \"ev\", metric = { \"req\", \"value\" }, " rest      \
         " }" ALERT

static const edit_row rows[] = {
    {LEVEL("count \"ev\"", "over = \"5m\", " ABOVE("5")),
     LEVEL("count \"ev\"", "over = \"5m\", " ABOVE("7")), "kept",
     "judged by the new limits", 0},
    {LEVEL("count \"ev\"", "over = \"5m\", crit = { above = 5, hold = \"2m\" }"),
     LEVEL("count \"ev\"", "over = \"5m\", crit = { above = 5, hold = \"1m\" }"), "kept",
     "is told at once", 0},
    {CHANGE("of = \"state\", hold = \"2m\""), CHANGE("of = \"state\", hold = \"1m\""),
     "kept", "is told at once", 0},
    {LEVEL("count \"ev\"", "over = \"5m\", " ABOVE("5")),
     LEVEL("count \"ev\"", "over = \"5m\", crit = { above = 5, hold = \"1m\" }"), "kept",
     "does not touch", 0},
    {LEVEL("count \"ev\"", "over = \"5m\", " ABOVE("5")),
     LEVEL("count \"ev\"", "over = \"8m\", " ABOVE("5")), "warming", "reaches further",
     180000},
    {LEVEL("count \"ev\"", "over = \"5m\", " ABOVE("5")),
     LEVEL("count \"ev\"", "over = \"1m\", " ABOVE("5")), "trimmed", "leaves", 0},
    {LEVEL("count \"ev\"", "over = \"5m\", " ABOVE("5")),
     LEVEL("count \"ev\"", "over = \"5m\", exact = 10, " ABOVE("5")), "kept",
     "does not touch", 0},
    {LEVEL("count \"ev\"", "over = \"5m\", " ABOVE("5")),
     LEVEL("count \"ev\" - count \"req\"", "over = \"5m\", " ABOVE("5")), "warming",
     "1 aggregate is new", 300000},
    {LEVEL("count(\"ev\", { a = 1 }) - count \"req\"", "over = \"5m\", " ABOVE("5")),
     LEVEL("count \"req\" + 2 * count(\"ev\", { a = 1 })", "over = \"5m\", " ABOVE("5")),
     "kept", "does not touch", 0},
    {LEVEL("count(\"ev\", { a = 1 }) - count \"req\"", "over = \"5m\", " ABOVE("5")),
     LEVEL("count(\"ev\", { a = 2 }) - count \"req\"", "over = \"5m\", " ABOVE("5")),
     "warming", "1 aggregate is new; 1 aggregate is dropped", 300000},
    {LEVEL("count \"ev\" - count \"req\"", "over = \"5m\", " ABOVE("5")),
     LEVEL("count \"req\"", "over = \"5m\", " ABOVE("5")), "kept",
     "1 aggregate is dropped", 0},
    {LEVEL("quantile(\"ev\", \"ms\", 0.9)", "over = \"5m\", " ABOVE("5")),
     LEVEL("quantile(\"ev\", \"ms\", 0.99)", "over = \"5m\", " ABOVE("5")), "kept",
     "does not touch", 0},
    {LEVEL("sum(\"ev\", function(e) return e.a end)", "over = \"5m\", " ABOVE("5")),
     LEVEL("sum(\"ev\", function(e) return e.b end)", "over = \"5m\", " ABOVE("5")),
     "cold", "nothing is measured that was", 0},
    {LEVEL("count \"ev\"", "every = \"1m\", " ABOVE("5")),
     LEVEL("count \"ev\"", "every = \"5m\", " ABOVE("5")), "warming", "reaches further",
     240000},
    {LEVEL("count \"ev\"", "every = \"5m\", " ABOVE("5")),
     LEVEL("count \"ev\"", "every = \"1m\", " ABOVE("5")), "partly", "begin anew", 0},
    {LEVEL("count \"ev\"", "every = \"1m\", " ABOVE("5")),
     LEVEL("count \"ev\"", "every = \"1m\", align = \"first\", " ABOVE("5")), "partly",
     "begin anew", 0},
    {LEVEL("count \"ev\"", "every = \"1m\", " ABOVE("5")),
     LEVEL("count \"ev\"", "over = \"1m\", " ABOVE("5")), "cold",
     "another kind of window", 0},
    {LEVEL("count \"ev\"", "last = 10, " ABOVE("5")),
     LEVEL("count \"ev\"", "last = 20, " ABOVE("5")), "warming", "more events", 0},
    {LEVEL("count \"ev\"", "last = 20, " ABOVE("5")),
     LEVEL("count \"ev\"", "last = 10, " ABOVE("5")), "trimmed", "oldest", 0},
    {HEAD "detect = measure { of = count \"ev\", over = \"1m\" }, emit = to \"more\" {}",
     HEAD
     "detect = measure { of = { n = count \"ev\", r = count \"req\" }, over = \"2m\" }, "
     "emit = to \"more\" {}",
     "warming", "1 aggregate is new", 120000},
    {LEVEL("count \"ev\"", "gap = \"1m\", " ABOVE("5")),
     LEVEL("count \"ev\"", "gap = \"3m\", " ABOVE("5")), "warming", "does not go on",
     120000},
    {LEVEL("count \"ev\"", "gap = \"1m\", " ABOVE("5")),
     LEVEL("count \"ev\" + sum(\"ev\", \"n\")",
           "gap = \"1m\", max = \"9m\", " ABOVE("5")),
     "trimmed", "max ends open sessions; 1 aggregate is new", 0},
    {JOIN("within = \"1m\""), JOIN("within = { before = \"1m\", after = \"3m\" }"),
     "warming", "after reaches further", 120000},
    {JOIN("within = \"1m\""), JOIN("within = \"30s\""), "trimmed", "before holds less",
     0},
    {JOIN("within = \"1m\""), JOIN("within = \"1m\", kind = \"left\""), "cold",
     "waits for something else", 0},
    {HEAD "detect = together { \"ev\", \"req\", within = \"1m\" }" ALERT,
     HEAD "detect = together { \"ev\", \"req\", within = \"2m\" }" ALERT, "warming",
     "within reaches further", 60000},
    {SEQ("{ \"ev\" }, { \"req\", within = \"1m\" }"),
     SEQ("{ \"ev\" }, { \"req\", within = \"4m\" }"), "warming", "run out of time",
     180000},
    {SEQ("{ \"ev\" }, { \"req\", within = \"4m\" }"),
     SEQ("{ \"ev\" }, { \"req\", within = \"1m\" }"), "trimmed", "less time", 0},
    {SEQ("{ \"ev\" }, { \"req\", within = \"1m\" }"),
     SEQ("{ \"ev\" }, { absent = \"ev\", lasting = \"1m\" }, { \"req\", within = \"1m\" "
         "}"),
     "partly", "step 2", 0},
    {CHANGE("of = \"state\""), CHANGE("of = { \"zone\", \"state\" }"), "warming",
     "1 of the fields are new", 0},
    {CHANGE("of = { \"zone\", \"state\" }"), CHANGE("of = \"state\", hold = \"1m\""),
     "kept", "1 of the fields are not watched", 0},
    {CHANGE("of = \"state\""), CHANGE("of = \"state\", to = \"down\""), "cold", "`to`",
     0},
    {MISSING("every = \"1m\", learn = \"1h\""), MISSING("every = \"5m\", learn = \"1h\""),
     "kept", "newest event", 0},
    {MISSING("every = \"1m\", learn = \"1h\""), MISSING("every = \"1m\", learn = \"3h\""),
     "warming", "forgotten", 7200000},
    {MISSING("every = \"1m\", learn = \"1h\""),
     MISSING("every = \"1m\", expect = { table = \"inventory\" }"), "partly", "not list",
     0},
    {SESSION("gap = \"1m\", of = sum(\"ev\", \"n\")"),
     SESSION("gap = \"2m\", of = sum(\"ev\", \"n\")"), "warming", "does not go on",
     60000},
    {SESSION("gap = \"2m\""), SESSION("gap = \"1m\""), "trimmed", "sooner", 0},
    {SESSION("gap = \"1m\", of = sum(\"ev\", \"n\")"),
     SESSION("gap = \"1m\", of = { a = max(\"ev\", \"n\"), b = sum(\"ev\", \"n\") }"),
     "warming", "1 aggregate is new", 0},
    {IMPACT("before = \"5m\", after = \"5m\""), IMPACT("before = \"9m\", after = \"5m\""),
     "warming", "reach back", 240000},
    {IMPACT("before = \"5m\", after = \"5m\""),
     IMPACT("before = \"5m\", after = \"5m\", effect = 0.5"), "kept", "does not touch",
     0},
    {IMPACT("before = \"5m\", after = \"5m\""),
     HEAD "detect = impact { event = \"ev\", metric = { \"req\", \"other\" }, before = "
          "\"5m\", "
          "after = \"5m\" }" ALERT,
     "cold", "metric", 0},
    {HEAD "detect = handler { on_event = function(e, ctx) end }" ALERT,
     "key = \"host\", inputs = { req = from \"requests\" {} }, "
     "detect = handler { on_event = function(e, ctx) ctx.resolve() end }" ALERT,
     "kept", "does not touch", 0},
    {LEVEL("count \"ev\"", "over = \"5m\", " ABOVE("5")),
     "clock = { time = \"ts\" }, " LEVEL("count \"ev\"", "over = \"5m\", " ABOVE("5")),
     "cold", "times or the stream", 0},
    {LEVEL("count \"ev\"", "over = \"5m\", " ABOVE("5")),
     "key = \"zone\", inputs = { ev = from \"events\" {} }, detect = level { of = count "
     "\"ev\", "
     "over = \"5m\", " ABOVE("5") " }" ALERT,
     "cold", "key", 0},
};

static uint64_t seven_keys(void *self, uint32_t rule)
{
    (void)self, (void)rule;
    return 7;
}

static json_t *nothing_open(void *self, uint32_t rule)
{
    (void)self, (void)rule;
    return NULL;
}

static void nothing_due(void *self, uint32_t rule, const tw_rule *fresh, tw_due *out)
{
    (void)self, (void)rule, (void)fresh;
    *out = (tw_due){0};
}

static json_t *nothing_ends(void *self, uint32_t rule, const tw_rule *fresh)
{
    (void)self, (void)rule, (void)fresh;
    return NULL;
}

static tw_rule_files *load_body(rules_fixture *x, const char *body)
{
    char text[2000];

    snprintf(text, sizeof text, "rule \"a/edited\" { %s }", body);
    load_rules(x, text);
    assert_string_equal(first_finding(x), "");
    return tw_rule_files_ref(x->set);
}

static void check_row(rules_fixture *x, const edit_row *row)
{
    tw_ground ground;
    tw_err err = {0};
    tw_changes_port port = {seven_keys, nothing_open, nothing_due, nothing_ends, NULL};
    tw_rule_files *files = load_body(x, row->before);

    tw_ground_init(&ground);
    tw_ruleset *running = tw_ruleset_new(files, x->options.streams, &ground, 1, &err);
    assert_non_null(running);
    tw_rule_files *fresh = load_body(x, row->after);
    json_t *list = tw_changes_json(fresh, running, NULL, 0, &port);
    const json_t *said = json_array_get(list, 0);
    const char *state = json_string_value(json_object_get(said, "state"));
    const char *why = json_string_value(json_object_get(said, "why"));
    if (!state || strcmp(state, row->state) != 0 || !strstr(why, row->why) ||
        json_integer_value(json_object_get(said, "warming_ms")) != row->warming_ms) {
        char *text = json_dumps(said, 0);
        fail_msg("%s\n-> %s\nexpected %s, %s, %lld, got %s", row->before, row->after,
                 row->state, row->why, (long long)row->warming_ms, text);
    }
    assert_int_equal(json_integer_value(json_object_get(said, "keys")), 7);
    json_decref(list);
    tw_ruleset_free(running);
    tw_rule_files_unref(fresh);
    tw_rule_files_unref(files);
    tw_ground_done(&ground);
}

static void plan_says_of_each_edit_what_becomes_of_the_state(void **state)
{
    rules_fixture *x = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(x, &rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plan_says_of_each_edit_what_becomes_of_the_state,
                                        open_rules, shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
