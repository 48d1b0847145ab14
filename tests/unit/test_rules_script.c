// SPDX-License-Identifier: Apache-2.0
/* The functions of rule files, called with decoded events. */
#include "script_bench.h"

typedef struct question {
    bench *b;
    int fn, rc;
    bool answer;
} question;

static void ask(void *self, const tw_event *ev)
{
    question *q = self;
    q->rc = q->b->script->cls->test_event(q->b->script, q->fn, ev, &q->answer);
}

static int test(bench *b, int fn, const char *json, bool *out)
{
    question q = {.b = b, .fn = fn};
    with_event(b, json, ask, &q);
    *out = q.answer;
    return q.rc;
}

static bool holds(bench *b, int fn, const char *json)
{
    bool answer;
    if (test(b, fn, json, &answer) != TW_OK) {
        tw_script_failures f;
        tw_rule_script_failures(b->script, &f);
        fail_msg("%s", f.last);
    }
    return answer;
}

#define RULE(body)                                                                       \
    "rule \"a/b\" { key = \"k\", params = { fire = 5, name = \"x\" }, inputs = { ev = "  \
    "from "                                                                              \
    "\"events\" { where = function(e) " body                                             \
    " end } }, detect = level { of = count \"ev\", "                                     \
    "over = \"5m\", crit = { above = 5 } }, alert = incident {} }\n"

static bool where(void **state, const char *rule, const char *json)
{
    bench b = start(state, rule);
    bool answer = holds(&b, 0, json);
    stop(&b);
    return answer;
}

/* The message of a call that raised. */
static const char *failure(void **state, const char *rule, const char *json)
{
    static char text[256];
    bool answer;
    tw_script_failures f;
    bench b = start(state, rule);
    assert_true(test(&b, 0, json, &answer) < 0);
    assert_false(answer);
    tw_rule_script_failures(b.script, &f);
    assert_int_equal(f.error + f.cpu + f.memory + f.other, 1);
    memcpy(text, f.last, sizeof text);
    stop(&b);
    const char *place = strstr(text, "rule.lua:");
    return place ? place : text;
}

/* ---- events ------------------------------------------------------------------------ */

static void a_predicate_reads_fields(void **state)
{
    const char *rule = RULE("return e.code >= 500 and e.host == 'web-1'");
    assert_true(where(state, rule, "{\"code\":503,\"host\":\"web-1\"}"));
    assert_false(where(state, rule, "{\"code\":404,\"host\":\"web-1\"}"));
    assert_false(where(state, rule, "{\"code\":503,\"host\":\"web-2\"}"));
}

static void values_have_the_types_of_json(void **state)
{
    const char *rule = RULE(
        "return math.type(e.i) == 'integer' and math.type(e.d) == 'float' and e.b == "
        "true and e.n == null and e.n ~= nil and e.gone == nil and e.s == 'a\\nb' and "
        "e.big == 9223372036854775807 and e.huge == '123456789012345678901234567890' "
        "and tostring(e.n) == 'null'");
    assert_true(where(state, rule,
                      "{\"i\":5,\"d\":5.5,\"b\":true,\"n\":null,\"s\":\"a\\nb\",\"big\":"
                      "9223372036854775807,\"huge\":123456789012345678901234567890}"));
}

static void nested_values_are_tables(void **state)
{
    const char *rule =
        RULE("local l = e.labels return l.zone == 'z' and l.deep.x == 1.5 and #e.tags == "
             "3 and "
             "e.tags[1] == 'a' and e.tags[2] == null and e.tags[3].y == "
             "'\xc3\xa9\xf0\x9f\x98\x80\"' "
             "and next(e.empty) == nil and l.big == 9007199254740993 and l.no == false");
    assert_true(where(
        state, rule,
        "{\"labels\":{\"zone\":\"z\",\"deep\":{\"x\":15e-1},\"big\":9007199254740993,"
        "\"no\":false}, \"tags\":[\"a\", null ,{\"y\":\"\\u00e9\\ud83d\\ude00\\\"\"}],"
        "\"empty\":{}}"));
}

static void a_name_with_dots_is_a_path(void **state)
{
    const char *rule =
        RULE("local path = 'labels.' .. 'zone' return e['labels.zone'] == 'z' and "
             "e[path] == 'z' and e['tags[1]'] == 'b' and e['[\"a.b\"]'] == 1");
    assert_true(where(state, rule,
                      "{\"labels\":{\"zone\":\"z\"},\"tags\":[\"a\",\"b\"],\"a.b\":1}"));
}

static void reserved_paths_are_read(void **state)
{
    const char *rule =
        RULE("return e['@time'] == 1700000000000 and e['@stream'] == 'events' and "
             "e['@partition'] == 3 and e['@offset'] == 77");
    assert_true(where(state, rule, "{}"));
}

static void a_field_that_no_text_names_is_found_too(void **state)
{
    const char *rule =
        RULE("local n = 0 for i = 1, 3000 do if e['f' .. i] == i then n = n + 1 end "
             "end return n == 2 and e.f7 == 7");
    assert_true(where(state, rule, "{\"f7\":7,\"f2999\":2999,\"f3\":4}"));
}

static void fields_may_have_long_names(void **state)
{
    const char *rule =
        RULE("return e.a_name_that_is_longer_than_forty_bytes_is_one_too == 1 and "
             "e.a_name_that_is_longer_than_forty_bytes_is_not_one == nil");
    assert_true(
        where(state, rule, "{\"a_name_that_is_longer_than_forty_bytes_is_one_too\":1}"));
}

static void an_event_is_lent_for_one_call(void **state)
{
    bench b = start(
        state, "kept = {}\n" RULE("if kept.e then return kept.e.code == 1 end kept.e "
                                  "= e return true"));
    bool answer;
    assert_true(holds(&b, 0, "{\"code\":1}"));
    /* The same userdata stands for the next event. */
    assert_false(holds(&b, 0, "{\"code\":2}"));
    tw_result r = {0};
    assert_int_equal(b.script->cls->test_result(b.script, 0, &r, &answer), TW_ESCRIPT);
    tw_script_failures f;
    tw_rule_script_failures(b.script, &f);
    assert_non_null(strstr(f.last, "an event is only lent for the call it is given to"));
    stop(&b);
}

static void an_event_cannot_be_changed_or_walked(void **state)
{
    assert_string_equal(failure(state, RULE("e.code = 1"), "{}"),
                        "rule.lua:1: what a rule is lent cannot be changed");
    assert_non_null(strstr(failure(state, RULE("for k in pairs(e) do end"), "{}"),
                           "not supported yet"));
    assert_non_null(
        strstr(failure(state, RULE("return e[1]"), "{}"), "named by a string"));
    assert_non_null(
        strstr(failure(state, RULE("return e['a..b']"), "{}"), "a name is missing"));
    assert_null(strstr(failure(state, RULE("return e.x.y"), "{}"), "(null)"));
}

static void a_failure_names_file_and_line(void **state)
{
    assert_string_equal(
        failure(state, "\n\n" RULE("return e.code > 5"), "{\"code\":\"a\"}"),
        "rule.lua:3: attempt to compare number with string");
}

static void parameters_are_read_while_running(void **state)
{
    assert_true(where(state, RULE("return P'fire' == 5 and P\"name\" == 'x'"), "{}"));
    assert_non_null(strstr(failure(state, RULE("return P'fier'"), "{}"),
                           "the rule has no parameter 'fier'"));
}

static void a_rule_cannot_be_declared_while_running(void **state)
{
    assert_non_null(
        strstr(failure(state, RULE("rule 'a/c' {}"), "{}"), "declared by the file"));
}

static void each_rule_has_its_own_functions_and_parameters(void **state)
{
    bench b = start(
        state,
        "for i = 1, 3 do rule('a/' .. i) { key = 'k', params = { n = i }, inputs = { ev "
        "= from 'events' { where = function(e) return e.n == i and P'n' == i "
        "end } }, detect = level { of = count 'ev', over = '5m', crit = { above "
        "= 5 } }, alert = incident {} } end");
    for (uint32_t i = 0; i < 3; i++) {
        char json[32];
        snprintf(json, sizeof json, "{\"n\":%u}", i + 1);
        int fn = tw_rule_files_rule(b.x->set, i)->inputs[0].where_fn;
        assert_true(holds(&b, fn, json));
        assert_false(holds(&b, (fn + 1) % 3, json));
    }
    stop(&b);
}

static void an_endless_predicate_is_stopped_and_the_next_call_works(void **state)
{
#if defined(__SANITIZE_THREAD__)
    (void)state;
    skip();
#else
    rules_fixture *x = *state;
    bool answer;
    tw_script_failures f;
    x->options.cpu_ms = 20;
    bench b = start(state, RULE("while e.code == 1 do end return true"));
    assert_true(test(&b, 0, "{\"code\":1}", &answer) < 0);
    tw_rule_script_failures(b.script, &f);
    assert_int_equal(f.cpu, 1);
    assert_true(holds(&b, 0, "{\"code\":2}"));
    stop(&b);
#endif
}

static void garbage_at_run_time_is_stopped_and_the_next_call_works(void **state)
{
    bool answer;
    tw_script_failures f;
    bench b =
        start(state, RULE("if e.code == 1 then local t = {} for i = 1, 1e9 do t[i] = "
                          "('x'):rep(100000) .. i end end return true"));
    assert_true(test(&b, 0, "{\"code\":1}", &answer) < 0);
    tw_rule_script_failures(b.script, &f);
    assert_int_equal(f.memory, 1);
    assert_true(holds(&b, 0, "{\"code\":2}"));
    stop(&b);
}

static void a_file_that_depends_on_chance_gives_no_script(void **state)
{
    rules_fixture *x = *state;
    tw_err err;
    load_rules(x,
               "rule('a/b' .. math.random(1e9)) { key = 'k', inputs = { ev = from "
               "'events' {} }, detect "
               "= level { of = count 'ev', over = '5m', crit = { above = 5 } }, alert = "
               "incident {} }");
    assert_string_equal(first_finding(x), "");
    assert_null(tw_rule_script_new(x->set, 0, 12345, &err));
    assert_non_null(strstr(err.text, "must not depend on chance"));
}

/* ---- mappers and results ----------------------------------------------------------- */

typedef struct mapping {
    bench *b;
    int rc;
    double value;
    bool has;
} mapping;

static void map(void *self, const tw_event *ev)
{
    mapping *m = self;
    m->rc = m->b->script->cls->map_event(m->b->script, 0, ev, &m->value, &m->has);
}

static void a_mapper_gives_a_number_or_nothing(void **state)
{
    bench b = start(state, RULE("return e.a and e.a * 2"));
    mapping m = {.b = &b};
    with_event(&b, "{\"a\":2.5}", map, &m);
    assert_true(m.rc == TW_OK && m.has);
    assert_float_equal(m.value, 5, 0);
    with_event(&b, "{}", map, &m);
    assert_true(m.rc == TW_OK && !m.has);
    with_event(&b, "{\"a\":1e308}", map, &m);
    assert_true(m.rc == TW_OK && !m.has); /* infinite */
    stop(&b);
    b = start(state, RULE("return 'text'"));
    with_event(&b, "{}", map, &m);
    assert_int_equal(m.rc, TW_ESCRIPT);
    stop(&b);
}

static void a_condition_reads_values_by_name(void **state)
{
    const char *const names[] = {"errors", "requests", "none"};
    const double values[] = {60, 100, 0};
    const bool has[] = {true, true, false};
    tw_result r = {names, values, has, 3, NULL};
    bool answer = false;
    tw_script_failures f;

    bench b = start(state, RULE("return e.errors / e.requests > 0.5 and e.none == nil"));
    assert_int_equal(b.script->cls->test_result(b.script, 0, &r, &answer), TW_OK);
    assert_true(answer);
    stop(&b);
    b = start(state, RULE("return e.erors > 1"));
    assert_int_equal(b.script->cls->test_result(b.script, 0, &r, &answer), TW_ESCRIPT);
    tw_rule_script_failures(b.script, &f);
    assert_non_null(strstr(f.last, "the rule measures nothing called 'erors'"));
    stop(&b);
}

/* Integer keys that all fall into one slot: a single assignment takes longer than any budget, and the
 * state must be given up. */
#define STALL                                                                            \
    "local t, step = {}, (1 << 17) - 1 for i = 1, (1 << 16) + 1 do t[i * step] = true "  \
    "end"

static double metric(tw_stats *stats, const char *series)
{
    tw_buf text;
    tw_buf_init(&text, 65536);
    tw_stats_write(stats, &text);
    const char *at = strstr(text.data, series);
    double value = at ? strtod(at + strlen(series), NULL) : -1;
    tw_buf_done(&text);
    return value;
}

static void a_state_that_was_given_up_is_made_anew_and_in_the_end_stopped(void **state)
{
    rules_fixture *x = *state;
    tw_stats *stats = tw_stats_new();
    bool answer;

    x->options.cpu_ms = 20;
    bench b = start(state, RULE("if e.bad then " STALL " end return true"));
    tw_rule_script_stats(b.script, stats);
    for (int i = 1; i <= 4; i++) {
        assert_true(test(&b, 0, "{\"bad\": 1}", &answer) < 0);
        assert_false(answer);
        int rc = test(&b, 0, "{}", &answer);
        assert_int_equal(rc == TW_OK, i < 4);
        assert_int_equal(answer, i < 4);
    }
    assert_int_equal(test(&b, 0, "{}", &answer), TW_ESTATE);
    assert_true(metric(stats, "rule_failures_total{rule=\"a/b\",reason=\"cpu\"} ") == 4);
    assert_true(metric(stats, "rule_states_replaced_total{rule=\"a/b\"} ") == 3);
    assert_true(metric(stats, "rule_stopped{rule=\"a/b\"} ") == 1);
    stop(&b);
    assert_true(metric(stats, "rule_stopped{rule=\"a/b\"} ") == 0);
    tw_stats_free(stats);
}

/* The rules of x again, with the same or another text, as a reload does it. */
static tw_script *loaded_again(rules_fixture *x, const char *text, tw_stats *stats,
                               tw_script *old)
{
    tw_err err;

    load_rules(x, text);
    tw_script *fresh = tw_rule_script_new(x->set, 0, 1, &err);
    assert_non_null(fresh);
    tw_rule_script_stats(fresh, stats);
    tw_rule_script_adopt(fresh, old);
    tw_rule_script_free(old);
    return fresh;
}

static void a_function_that_was_stopped_stays_so_while_nothing_changes(void **state)
{
    rules_fixture *x = *state;
    tw_stats *stats = tw_stats_new();
    const char *text = RULE("while e.bad do end return true");
    bool answer;

    x->options.cpu_ms = 1;
    bench b = start(state, text);
    tw_rule_script_stats(b.script, stats);
    for (int i = 0; i < 20; i++)
        assert_int_equal(test(&b, 0, "{\"bad\": 1}", &answer), TW_ELIMIT);
    b.script = loaded_again(x, text, stats, b.script);
    assert_int_equal(test(&b, 0, "{}", &answer), TW_ESTATE);
    assert_true(metric(stats, "rule_stopped{rule=\"a/b\"} ") == 1);
    x->options.cpu_ms = 2;
    b.script = loaded_again(x, text, stats, b.script);
    assert_int_equal(test(&b, 0, "{}", &answer), TW_OK);
    assert_true(metric(stats, "rule_stopped{rule=\"a/b\"} ") == 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(test(&b, 0, "{\"bad\": 1}", &answer), TW_ELIMIT);
    b.script =
        loaded_again(x, RULE("while e.bad == 2 do end return true"), stats, b.script);
    assert_int_equal(test(&b, 0, "{\"bad\": 1}", &answer), TW_OK);
    stop(&b);
    tw_stats_free(stats);
}

static void a_function_that_always_runs_past_its_budget_is_stopped(void **state)
{
    rules_fixture *x = *state;
    tw_stats *stats = tw_stats_new();
    bool answer;

    x->options.cpu_ms = 1;
    bench b = start(state, RULE("while e.bad do end return true"));
    tw_rule_script_stats(b.script, stats);
    for (int i = 0; i < 19; i++)
        assert_true(test(&b, 0, "{\"bad\": 1}", &answer) < 0);
    assert_int_equal(test(&b, 0, "{}", &answer), TW_OK); /* not in a row */
    for (int i = 0; i < 20; i++)
        assert_int_equal(test(&b, 0, "{\"bad\": 1}", &answer), TW_ELIMIT);
    assert_int_equal(test(&b, 0, "{}", &answer), TW_ESTATE);
    assert_true(metric(stats, "rule_stopped{rule=\"a/b\"} ") == 1);
    assert_true(metric(stats, "rule_failures_total{rule=\"a/b\",reason=\"cpu\"} ") == 39);
    stop(&b);
    assert_true(metric(stats, "rule_stopped{rule=\"a/b\"} ") == 0);
    tw_stats_free(stats);
}

static void failures_are_counted_by_rule_and_reason(void **state)
{
    tw_stats *stats = tw_stats_new();
    bool answer;
    bench b = start(state, RULE("return e.x.y == 1"));

    tw_rule_script_stats(b.script, stats);
    for (int i = 0; i < 100; i++)
        assert_true(test(&b, 0, "{}", &answer) < 0);
    assert_true(metric(stats, "rule_failures_total{rule=\"a/b\",reason=\"error\"} ") ==
                100);
    stop(&b);
    tw_stats_free(stats);
}

static void count_line(void *self, const char *file, const char *message)
{
    int *lines = self;
    (void)file;
    (void)message;
    ++*lines;
}

static void a_rule_that_logs_for_ever_is_held_back(void **state)
{
    rules_fixture *x = *state;
    int lines = 0;
    bool answer;

    x->options.log = count_line;
    x->options.log_self = &lines;
    bench b = start(state, "for i = 1, 1000 do log(i) end\n" RULE(
                               "for i = 1, 1000 do log(i) end return true"));
    assert_int_equal(lines, 21); /* the last says that there are more */
    lines = 0;
    assert_int_equal(test(&b, 0, "{}", &answer), TW_OK);
    assert_in_range(lines, 20, 40); /* a second may end in between */
    stop(&b);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_rules, shut_rules)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_predicate_reads_fields),
        T(values_have_the_types_of_json),
        T(nested_values_are_tables),
        T(a_name_with_dots_is_a_path),
        T(reserved_paths_are_read),
        T(a_field_that_no_text_names_is_found_too),
        T(fields_may_have_long_names),
        T(an_event_is_lent_for_one_call),
        T(an_event_cannot_be_changed_or_walked),
        T(a_failure_names_file_and_line),
        T(parameters_are_read_while_running),
        T(a_rule_cannot_be_declared_while_running),
        T(each_rule_has_its_own_functions_and_parameters),
        T(an_endless_predicate_is_stopped_and_the_next_call_works),
        T(garbage_at_run_time_is_stopped_and_the_next_call_works),
        T(a_file_that_depends_on_chance_gives_no_script),
        T(a_mapper_gives_a_number_or_nothing),
        T(a_condition_reads_values_by_name),
        T(a_state_that_was_given_up_is_made_anew_and_in_the_end_stopped),
        T(a_function_that_always_runs_past_its_budget_is_stopped),
        T(a_function_that_was_stopped_stays_so_while_nothing_changes),
        T(failures_are_counted_by_rule_and_reason),
        T(a_rule_that_logs_for_ever_is_held_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
