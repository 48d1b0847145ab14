// SPDX-License-Identifier: Apache-2.0
/* Sets of rule files: which files are read, names, parameters, hashes, and the fields that are asked of
 * the decoder. */
#include <sys/stat.h>

#include "rule/findings.h"
#include "rules_fixture.h"

#define RULE(name, key, options)                                                         \
    "rule \"" name "\" { key = " key                                                     \
    ", inputs = { ev = from \"events\" { a = 1 } }, alert = "                            \
    "incident { title = \"x\" }, " options " }\n"
#define LEVEL "detect = level { of = count \"ev\", over = \"5m\", crit = { above = 5 } }"

static bool has_rule(const rules_fixture *x, const char *name)
{
    for (uint32_t i = 0; i < tw_rule_files_rule_count(x->set); i++)
        if (strcmp(tw_rule_files_rule(x->set, i)->name, name) == 0)
            return true;
    return false;
}

static void folders_are_walked_and_rules_sorted_by_name(void **state)
{
    rules_fixture *x = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/deep", x->dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/.hidden", x->dir);
    mkdir(path, 0700);
    write_rules(x, "2.lua",
                RULE("b/two", "\"k\"", LEVEL) RULE("a/three", "\"k\"", LEVEL));
    write_rules(x, "deep/1.lua", RULE("z/one", "\"k\"", LEVEL));
    write_rules(x, ".hidden/3.lua", "nonsense(");
    write_rules(x, "readme.md", "nonsense(");
    load_path(x, x->dir);

    assert_string_equal(first_finding(x), "");
    assert_int_equal(tw_rule_files_count(x->set), 2);
    assert_non_null(strstr(tw_rule_files_path(x->set, 0), "/2.lua"));
    assert_int_equal(tw_rule_files_rule_count(x->set), 3);
    assert_string_equal(tw_rule_files_rule(x->set, 0)->name, "a/three");
    assert_int_equal(tw_rule_files_rule(x->set, 0)->script, 0);
    assert_string_equal(tw_rule_files_rule(x->set, 2)->name, "z/one");
    assert_int_equal(tw_rule_files_rule(x->set, 2)->script, 1);
}

static void a_bad_file_leaves_the_others(void **state)
{
    rules_fixture *x = *state;
    write_rules(x, "1.lua", "rule {");
    write_rules(x, "2.lua", RULE("b/two", "\"k\"", LEVEL));
    write_rules(x, "3.lua",
                RULE("c/three", "\"k\"", LEVEL) RULE("c/four", "\"k\"", "detct = 5"));
    load_path(x, x->dir);

    assert_int_equal(tw_rule_files_count(x->set), 1);
    assert_true(has_rule(x, "b/two"));
    assert_false(has_rule(x, "c/three"));
    assert_int_equal(x->findings.count, 2); /* what comes of `detct` is not told again */
}

static void a_path_that_is_not_there_is_named(void **state)
{
    rules_fixture *x = *state;
    load_path(x, "/nowhere/rules");
    assert_int_equal(x->findings.count, 1);
    assert_string_equal(x->findings.items[0].err.file, "/nowhere/rules");
    assert_int_equal(tw_rule_files_rule_count(x->set), 0);
}

static void links_that_lead_back_are_passed_over(void **state)
{
    rules_fixture *x = *state;
    char path[128];
    write_rules(x, "1.lua", RULE("b/two", "\"k\"", LEVEL));
    snprintf(path, sizeof path, "%s/deep", x->dir);
    mkdir(path, 0700);
    write_rules(x, "deep/2.lua", RULE("b/three", "\"k\"", LEVEL));
    for (const char *const *name =
             (const char *const[]){"a", "b", "deep/c", "deep/d", NULL};
         *name; name++) {
        snprintf(path, sizeof path, "%s/%s", x->dir, *name);
        assert_int_equal(symlink(x->dir, path), 0);
    }
    load_path(x, x->dir);
    assert_string_equal(first_finding(x), "");
    assert_int_equal(tw_rule_files_count(x->set), 2);
}

static void what_is_no_file_is_not_waited_for(void **state)
{
    rules_fixture *x = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/pipe.lua", x->dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    load_path(x, path);
    assert_string_equal(first_finding(x), "not a file");
    write_rules(x, "1.lua", RULE("b/two", "\"k\"", LEVEL));
    load_path(x, x->dir);
    assert_string_equal(first_finding(x), "");
}

static void a_file_that_may_not_be_read_is_named(void **state)
{
    rules_fixture *x = *state;
    char path[128];
    if (geteuid() == 0)
        skip(); /* who may read everything */
    write_rules(x, "1.lua", RULE("b/two", "\"k\"", LEVEL));
    snprintf(path, sizeof path, "%s/1.lua", x->dir);
    assert_int_equal(chmod(path, 0), 0);
    load_path(x, x->dir);
    assert_string_equal(first_finding(x), "Permission denied");
}

static void odd_bytes_in_a_file_s_name_do_no_harm(void **state)
{
    rules_fixture *x = *state;
    write_rules(x, "a\x1b[31m\n\xff.lua", "rule {");
    load_path(x, x->dir);
    assert_int_equal(x->findings.count, 1);
    assert_non_null(strstr(x->findings.items[0].err.file, "/a [31m ?.lua"));
    json_t *list = tw_findings_json(&x->findings);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
}

/* `severity` of a level is a warning; fifty of them once hid the errors behind them. */
static void many_warnings_hide_no_error(void **state)
{
    rules_fixture *x = *state;
    load_rules(
        x, "for i = 1, 60 do rule(\"a/r\" .. i) { key = \"k\", inputs = { ev = from "
           "\"events\" {} }, detect = level { of = count \"ev\", over = \"5m\", crit = "
           "{ above = i } }, alert = incident { title = \"t\" .. i, severity = "
           "\"warn\" } } end\n"
           "rule \"a/last\" { key = \"k\", alert = incident {} }");
    size_t errors = 0;
    for (size_t i = 0; i < x->findings.count; i++)
        errors += !x->findings.items[i].warning;
    assert_int_equal(errors, 2);
    assert_int_equal(tw_rule_files_rule_count(x->set), 0);
}

static void a_huge_file_is_refused_unread(void **state)
{
    rules_fixture *x = *state;
    char path[128];
    write_rules(x, "huge.lua", "");
    snprintf(path, sizeof path, "%s/huge.lua", x->dir);
    assert_int_equal(truncate(path, 100000000), 0);
    load_path(x, path);
    assert_string_equal(first_finding(x),
                        "100000000 bytes; a rule file may have 256 KiB");
    assert_int_equal(x->findings.items[0].err.line, 1);
}

static void a_name_in_two_files_is_told_with_both_places(void **state)
{
    rules_fixture *x = *state;
    char expected[256];
    write_rules(x, "1.lua", "\n" RULE("a/one", "\"k\"", LEVEL));
    write_rules(x, "2.lua",
                RULE("a/two", "\"k\"", LEVEL) "\n\n" RULE("a/one", "\"k\"", LEVEL));
    write_rules(x, "3.lua", RULE("a/two", "\"k\"", LEVEL));
    load_path(x, x->dir);

    assert_int_equal(x->findings.count, 1);
    const tw_err *err = &x->findings.items[0].err;
    snprintf(expected, sizeof expected,
             "rule 'a/one' is declared twice; it is also at %s/1.lua:2", x->dir);
    assert_string_equal(err->text, expected);
    assert_int_equal(err->line, 4);
    assert_int_equal(err->column, 1);
    assert_int_equal(tw_rule_files_count(x->set),
                     2); /* 3.lua is right: 2.lua is not there */
}

static void an_unknown_stream_is_made_when_any_will_do(void **state)
{
    rules_fixture *x = *state;
    x->options.any_stream = true;
    one_rule(
        x,
        "rule \"a/b\" { key = \"k\", inputs = { ev = from \"new\" {} }, alert = incident "
        "{}, " LEVEL " }");
    assert_non_null(tw_streams_find(x->options.streams, "new"));
}

/* ---- parameters -------------------------------------------------------------------- */

#define PARAMS "params = { fire = 5, name = \"x\", on = true }, "
#define FIRE                                                                             \
    "detect = level { of = count \"ev\", over = \"5m\", crit = { above = P\"fire\" } }"

static double bound_with(rules_fixture *x, const char *overrides)
{
    x->options.params = json_loads(overrides, 0, NULL);
    const tw_rule *r = one_rule(x, RULE("a/b", "\"k\"", PARAMS FIRE));
    double bound = r->level.levels[TW_LEVEL_CRIT].above.value;
    json_decref(x->options.params);
    x->options.params = NULL;
    return bound;
}

static void a_parameter_has_its_default_or_an_override(void **state)
{
    rules_fixture *x = *state;
    assert_float_equal(bound_with(x, "{}"), 5, 0);
    assert_float_equal(bound_with(x, "{\"a/b\": {\"fire\": 7.5}}"), 7.5, 0);
    assert_float_equal(bound_with(x, "{\"a/b\": {\"name\": \"y\"}}"), 5, 0);
}

static const char *finding_with(rules_fixture *x, const char *overrides)
{
    x->options.params = json_loads(overrides, 0, NULL);
    load_rules(x, RULE("a/b", "\"k\"", PARAMS FIRE));
    json_decref(x->options.params);
    x->options.params = NULL;
    return first_finding(x);
}

static void a_wrong_override_is_found(void **state)
{
    rules_fixture *x = *state;
    assert_string_equal(finding_with(x, "{\"a/b\": {\"fire\": \"7\"}}"),
                        "parameter 'fire' is overridden by a value of another type; its "
                        "default is a number");
    assert_string_equal(
        finding_with(x, "{\"a/b\": {\"fier\": 7}}"),
        "an override names the parameter 'fier', which the rule does not have (did "
        "you mean 'fire'?)");
    assert_string_equal(finding_with(x, "{\"a/c\": {\"fire\": 7}}"),
                        "params: there is no rule 'a/c' (did you mean 'a/b'?)");
    assert_true(x->findings.items[0].warning);
}

/* ---- hashes ------------------------------------------------------------------------ */

typedef struct hashes {
    char all[33], state[33];
} hashes;

static hashes hashes_of(rules_fixture *x, const char *text)
{
    hashes h;
    const tw_rule *r = one_rule(x, text);
    memcpy(h.all, r->hash, sizeof h.all);
    memcpy(h.state, r->state_hash, sizeof h.state);
    return h;
}

#define BASE                                                                             \
    "params = { n = 5, span = \"5m\" }, detect = level { of = count \"ev\", over = "     \
    "P\"span\", crit = { above = P\"n\" } }"

static void layout_changes_no_hash(void **state)
{
    rules_fixture *x = *state;
    hashes a = hashes_of(x, RULE("a/b", "\"k\"", BASE));
    hashes b = hashes_of(x, "-- a comment\n\n  " RULE("a/b", "\n\"k\"", BASE));
    assert_string_equal(a.all, b.all);
    assert_string_equal(a.state, b.state);
}

static void a_threshold_changes_the_hash_but_not_that_of_the_state(void **state)
{
    rules_fixture *x = *state;
    hashes a = hashes_of(x, RULE("a/b", "\"k\"", BASE));
    const char *const edits[] = {
        RULE("a/c", "\"k\"", BASE), /* which may be the same rule under another name */
        RULE("a/b", "\"k\"", "doc = \"x\", " BASE),
        RULE("a/b", "\"k\"",
             "params = { n = 6, span = \"5m\" }, detect = level { of = count \"ev\", "
             "over = P\"span\", crit = { above = P\"n\" } }"),
        RULE("a/b", "\"k\"",
             "params = { n = 5, span = \"5m\" }, detect = level { of = count \"ev\", "
             "over = P\"span\", crit = { above = P\"n\", hold = \"1m\" } }"),
    };
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        hashes b = hashes_of(x, edits[i]);
        assert_string_not_equal(a.all, b.all);
        assert_string_equal(a.state, b.state);
    }
}

#define ONE_LINE(mapper, bound)                                                          \
    "rule \"a/b\" { key = \"k\", inputs = { ev = from \"events\" {} }, detect = level "  \
    "{ "                                                                                 \
    "of = sum(\"ev\", function(e) " mapper                                               \
    " end), over = \"5m\", crit = { above = " bound                                      \
    " } }, alert = incident { when = function(v) return v.value > " bound " end } }\n"

static void a_function_counts_with_its_text_not_with_its_line(void **state)
{
    rules_fixture *x = *state;
    hashes a = hashes_of(x, ONE_LINE("return e.a, 1", "5"));
    hashes b = hashes_of(x, ONE_LINE("return e.a, 1", "6"));
    hashes c = hashes_of(x, ONE_LINE("if e.a then return 2 end", "5"));
    assert_string_not_equal(a.all, b.all);
    assert_string_equal(a.state, b.state);
    assert_string_not_equal(a.state, c.state);
}

static void which_events_an_input_takes_does_not_shape_the_state(void **state)
{
    rules_fixture *x = *state;
    hashes a = hashes_of(x, RULE("a/b", "\"k\"", BASE));
    const char *const edits[] = {
        "rule \"a/b\" { key = \"k\", inputs = { ev = from \"events\" { a = 2 } }, alert "
        "= incident { title = \"x\" }, " BASE " }",
        "rule \"a/b\" { key = \"k\", inputs = { ev = from \"events\" { a = 1, where = "
        "function(e) return e.x end } }, alert = incident { title = \"x\" }, " BASE " }",
    };
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        hashes b = hashes_of(x, edits[i]);
        assert_string_not_equal(a.all, b.all);
        assert_string_equal(a.state, b.state);
    }
}

static void what_shapes_the_state_changes_its_hash(void **state)
{
    rules_fixture *x = *state;
    hashes a = hashes_of(x, RULE("a/b", "\"k\"", BASE));
    const char *const edits[] = {
        RULE("a/b", "\"l\"", BASE),
        RULE("a/b", "\"k\"", "clock = { time = \"t\" }, " BASE),
        RULE("a/b", "\"k\"",
             "params = { n = 5, span = \"6m\" }, detect = level { of = count \"ev\", "
             "over = P\"span\", crit = { above = P\"n\" } }"),
        RULE("a/b", "\"k\"",
             "params = { n = 5, span = \"5m\" }, detect = level { of = rate \"ev\", over "
             "= P\"span\", crit = { above = P\"n\" } }"),
        "rule \"a/b\" { key = \"k\", inputs = { ev = from \"other\" { a = 1 } }, alert "
        "= incident { title = \"x\" }, " BASE " }",
    };
    x->options.any_stream = true;
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        hashes b = hashes_of(x, edits[i]);
        assert_string_not_equal(a.all, b.all);
        assert_string_not_equal(a.state, b.state);
    }
}

static void a_helper_of_a_function_changes_the_hash(void **state)
{
    rules_fixture *x = *state;
    const char *rule =
        "rule \"a/b\" { key = \"k\", inputs = { ev = from \"events\" { where = "
        "function(e) return bad(e) end } }, alert = incident {}, " LEVEL " }";
    char text[1024];
    snprintf(text, sizeof text, "local function bad(e) return e.x end\n%s", rule);
    hashes a = hashes_of(x, text);
    snprintf(text, sizeof text, "local function bad(e) return e.y end\n%s", rule);
    hashes b = hashes_of(x, text);
    assert_string_not_equal(a.all, b.all);
}

/* ---- fields ------------------------------------------------------------------------ */

static bool wants(rules_fixture *x, const char *stream_name, const char *path)
{
    tw_stream *stream = tw_streams_find(x->options.streams, stream_name);
    uint32_t count, slot = (uint32_t)tw_fields_slot(stream->fields, path, NULL);
    uint32_t *slots = tw_rule_files_slots(x->set, stream, &count);
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        assert_true(i == 0 || slots[i - 1] < slots[i]);
        found = found || slots[i] == slot;
    }
    tw_free(slots);
    return found;
}

static void every_field_a_rule_reads_is_asked_for(void **state)
{
    rules_fixture *x = *state;
    one_rule(
        x,
        "local function slow(e) return e[\"net.rtt\"] > 5 end\n"
        "rule \"a/b\" { key = { \"host\" }, clock = { time = \"ts\" }, inputs = { ev = "
        "from "
        "\"events\" { code = gte(500), any_of { { x = 1 }, { y = 2 } }, where = "
        "function(e)\n if e.tag == nil then return slow(e) end\n return not "
        "e.labels.zone end }, req = from \"requests\" {} },\n"
        "detect = level { of = sum(\"ev\", \"bytes\", { z = 1 }) / count \"req\", over = "
        "\"5m\", crit = { when = function(v) return v.hidden > 1 end }, "
        "nodata = { after = \"1h\" } },\n"
        "alert = incident { title = \"${message} ${first.seen}\" } }");
    const char *const paths[] = {"host",    "ts",      "code", "x",      "y",
                                 "bytes",   "z",       "tag",  "labels", "message",
                                 "first.x", "net.rtt", "seen"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_true(wants(x, "events", paths[i]) == (strcmp(paths[i], "first.x") != 0));
    assert_true(wants(x, "requests", "host"));
    assert_false(wants(x, "requests", "bytes"));
    assert_false(wants(x, "events", "hidden"));
    assert_false(wants(x, "keyed", "host"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_rules, shut_rules)

static void a_column_that_a_miss_gives_too_is_one_that_the_rule_reads(void **state)
{
    const tw_rule *r = one_rule(
        *state,
        "rule \"a/b\" { key = \"host\", inputs = { ev = from \"events\" {} },\n"
        "detect = level { of = count \"ev\", over = \"5m\", crit = { above = 1 } },\n"
        "enrich = { owner = lookup { \"staff\", key = \"host\", "
        "miss = { team = \"sre\", known = \"no\" } } },\n"
        "alert = incident { title = \"${owner.team} ${owner.known}\" } }");

    assert_int_equal(r->column_count, 1);
    assert_string_equal(r->columns[0].name, "team");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(folders_are_walked_and_rules_sorted_by_name),
        T(a_bad_file_leaves_the_others),
        T(a_path_that_is_not_there_is_named),
        T(links_that_lead_back_are_passed_over),
        T(what_is_no_file_is_not_waited_for),
        T(a_file_that_may_not_be_read_is_named),
        T(odd_bytes_in_a_file_s_name_do_no_harm),
        T(many_warnings_hide_no_error),
        T(a_huge_file_is_refused_unread),
        T(a_name_in_two_files_is_told_with_both_places),
        T(an_unknown_stream_is_made_when_any_will_do),
        T(a_parameter_has_its_default_or_an_override),
        T(a_wrong_override_is_found),
        T(layout_changes_no_hash),
        T(a_threshold_changes_the_hash_but_not_that_of_the_state),
        T(a_function_counts_with_its_text_not_with_its_line),
        T(which_events_an_input_takes_does_not_shape_the_state),
        T(what_shapes_the_state_changes_its_hash),
        T(a_helper_of_a_function_changes_the_hash),
        T(every_field_a_rule_reads_is_asked_for),
        T(a_column_that_a_miss_gives_too_is_one_that_the_rule_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
