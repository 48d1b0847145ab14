// SPDX-License-Identifier: Apache-2.0
/* A test and its options; see plan_test.h. What the test says of rules is held against them when all files are
 * read (tests.c). */
#include "rule/plan_test.h"

#include <stddef.h>
#include <string.h>

#include "base/duration.h"

#define ARENA_BLOCK 2048
#define MAX_NAME_BYTES 200

typedef struct test_options {
    const char *rule, *start;
    const tw_tree *feed, *vary, *expect, *also, *silences, *params, *tables;
    int64_t until_ms;
} test_options;

#define AT(field) offsetof(test_options, field)
static const tw_option test_table[] = {
    {"rule", TW_OPTION_TEXT, AT(rule), 0, 0, NULL},
    {"feed", TW_OPTION_TABLE, AT(feed), 0, 0, NULL},
    {"expect", TW_OPTION_TABLE, AT(expect), 0, 0, NULL},
    {"vary", TW_OPTION_TABLE, AT(vary), 0, 0, NULL},
    {"also", TW_OPTION_TABLE, AT(also), 0, 0, NULL},
    {"silences", TW_OPTION_TABLE, AT(silences), 0, 0, NULL},
    {"params", TW_OPTION_TABLE, AT(params), 0, 0, NULL},
    {"tables", TW_OPTION_TABLE, AT(tables), 0, 0, NULL},
    {"until_", TW_OPTION_DURATION, AT(until_ms), 0, 0, NULL},
    {"start", TW_OPTION_TEXT, AT(start), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

tw_test_place tw_compile_test_place(const tw_test_compiler *t, const tw_tree *v)
{
    const tw_tokens *tokens = &t->c->source->tokens;

    if (v->spot >= tokens->count)
        return (tw_test_place){v->line, 0};
    return (tw_test_place){tokens->items[v->spot].line, tokens->items[v->spot].column};
}

static const char *keep_text(tw_test_compiler *t, const char *text)
{
    return tw_arena_strndup(&t->test->arena, text, strlen(text));
}

bool tw_compile_test_time(tw_test_compiler *t, const tw_tree *v, const char *what,
                          int64_t *out_ms)
{
    if (v->type != TW_TREE_STRING) {
        tw_compile_say(t->c, v,
                       "%s is a time from the start like \"30s\" or \"12m35s\", not %s",
                       what, tw_tree_name(v));
        return false;
    }
    if (tw_duration_parse(v->text, v->size, out_ms) == TW_OK)
        return true;
    tw_compile_say(t->c, v,
                   "%s: \"%.40s\" is no time; write it from the start like \"30s\" or "
                   "\"12m35s\" (units ms s m h d w, largest first)",
                   what, v->text);
    return false;
}

/* ---- the rules under test ---------------------------------------------------------- */

static void add_rule(tw_test_compiler *t, const char *name, const tw_tree *at)
{
    tw_rule_test *test = t->test;

    test->rules[test->rule_count] = keep_text(t, name);
    test->rule_places[test->rule_count++] = tw_compile_test_place(t, at);
}

static void compile_rules(tw_test_compiler *t, const test_options *o, const tw_tree *body)
{
    tw_rule_test *test = t->test;
    size_t most = 1 + (o->also ? o->also->item_count : 0);

    test->rules = tw_arena_alloc(&test->arena, most * sizeof *test->rules);
    test->rule_places = tw_arena_alloc(&test->arena, most * sizeof *test->rule_places);
    if (o->rule)
        add_rule(t, o->rule, tw_tree_get(body, "rule"));
    for (uint32_t i = 0; o->also && i < o->also->item_count; i++) {
        const tw_tree *v = o->also->items[i];
        if (v->type != TW_TREE_STRING)
            tw_compile_say(t->c, v, "also is a list of rule names, not of %s",
                           tw_tree_name(v));
        else
            add_rule(t, v->text, v);
    }
    if (o->also && o->also->entry_count)
        tw_compile_say(t->c, o->also->entries[0].value,
                       "also is a list of rule names: { \"team/rule\" }");
}

/* ---- parameters -------------------------------------------------------------------- */

static void add_param(tw_test_compiler *t, json_t *params, const tw_tree_entry *e)
{
    tw_value scalar;

    if (!tw_compile_scalar(e->value, &scalar) || scalar.type == TW_NULL)
        tw_compile_say(t->c, e->value,
                       "parameter '%s' is a string, a number or true or false, not %s",
                       e->key, tw_tree_name(e->value));
    else
        json_object_set_new(params, e->key, tw_compile_json(e->value));
}

static json_t *params_of(json_t *all, const char *rule)
{
    json_t *params = json_object_get(all, rule);

    if (!params) {
        params = json_object();
        json_object_set_new(all, rule, params);
    }
    return params;
}

/* Of the tested rule, or of one that is named: { ["team/other"] = { fire = 1 } }. */
static void compile_params(tw_test_compiler *t, const char *rule, const tw_tree *params)
{
    json_t *all = json_object();

    tw_options_no_items(t->c, params, "params");
    for (uint32_t i = 0; i < params->entry_count; i++) {
        const tw_tree_entry *e = &params->entries[i];
        if (e->value->type != TW_TREE_TABLE) {
            add_param(t, params_of(all, rule), e);
            continue;
        }
        for (uint32_t k = 0; k < e->value->entry_count; k++)
            add_param(t, params_of(all, e->key), &e->value->entries[k]);
    }
    t->test->params = all;
    t->test->params_place = tw_compile_test_place(t, params);
}

/* ---- silences ---------------------------------------------------------------------- */

typedef struct silence_options {
    const tw_tree *match, *from, *to;
} silence_options;

static const tw_option silence_table[] = {
    {"match", TW_OPTION_TABLE, offsetof(silence_options, match), 0, 0, NULL},
    {"from", TW_OPTION_ANY, offsetof(silence_options, from), 0, 0, NULL},
    {"to", TW_OPTION_ANY, offsetof(silence_options, to), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};

/* A label's value, or { matches = ".." } as the replay format has it. */
static json_t *silence_match(tw_test_compiler *t, const tw_tree *match)
{
    json_t *out = json_object();

    tw_options_no_items(t->c, match, "match");
    for (uint32_t i = 0; i < match->entry_count; i++) {
        const tw_tree *v = match->entries[i].value;
        bool is_regex = tw_tree_is_word(v, "matches") && v->item_count == 1 &&
                        v->items[0]->type == TW_TREE_STRING;
        if (is_regex)
            json_object_set_new(out, match->entries[i].key,
                                json_pack("{s:s}", "matches", v->items[0]->text));
        else if (v->type == TW_TREE_STRING)
            json_object_set_new(out, match->entries[i].key, json_string(v->text));
        else
            tw_compile_say(t->c, v,
                           "a silence matches a label by a string or by matches "
                           "\"regex\", not by %s",
                           tw_tree_name(v));
    }
    return out;
}

static void compile_silence(tw_test_compiler *t, const tw_tree *v)
{
    silence_options o = {0};
    tw_test_silence *s = &t->test->silences[t->test->silence_count++];

    *s = (tw_test_silence){.place = tw_compile_test_place(t, v), .to_ms = INT64_MAX};
    if (v->type != TW_TREE_TABLE) {
        tw_compile_say(t->c, v,
                       "a silence is { match = { ... }, from = \"0s\", to = \"1h\" }");
        return;
    }
    tw_options_no_items(t->c, v, "a silence");
    tw_options_read(t->c, v, "a silence", silence_table, &o);
    if (!o.match || !o.match->entry_count)
        tw_compile_say(t->c, v, "a silence needs match = { label = \"value\" }");
    else
        s->match = silence_match(t, o.match);
    if (o.from)
        tw_compile_test_time(t, o.from, "from", &s->from_ms);
    if (!o.to)
        tw_compile_say(t->c, v, "a silence needs its end: to = \"1h\"");
    else if (tw_compile_test_time(t, o.to, "to", &s->to_ms) && s->to_ms <= s->from_ms)
        tw_compile_say(t->c, o.to, "the silence ends before it begins");
}

static void compile_silences(tw_test_compiler *t, const tw_tree *silences)
{
    if (silences->entry_count)
        tw_compile_say(t->c, silences->entries[0].value,
                       "silences is a list: { { match = { ... }, from = .., to = .. } }");
    t->test->silences = tw_arena_alloc(&t->test->arena, (silences->item_count + 1) *
                                                            sizeof *t->test->silences);
    for (uint32_t i = 0; i < silences->item_count; i++)
        compile_silence(t, silences->items[i]);
}

/* ---- the whole --------------------------------------------------------------------- */

/* The table of `test "name" { ... }`, or NULL with a finding. */
static tw_tree *test_body(tw_compiler *c, tw_tree *test)
{
    if (test->item_count < 1 || test->items[0]->type != TW_TREE_STRING) {
        tw_compile_say(c, test,
                       "test takes a name and a table: test \"what holds\" { ... }");
        return NULL;
    }
    if (test->items[0]->size == 0 || test->items[0]->size > MAX_NAME_BYTES)
        tw_compile_say(c, test, "a test's name has 1 to %d characters", MAX_NAME_BYTES);
    if (test->item_count != 2 || test->items[1]->type != TW_TREE_TABLE) {
        tw_compile_say(c, test, "test \"%.100s\" is without its table { ... }",
                       test->items[0]->text);
        return NULL;
    }
    test->items[1]->spot = test->spot;
    return test->items[1];
}

static void set_end(tw_rule_test *t, const test_options *o)
{
    for (uint32_t i = 0; i < t->event_count; i++)
        t->end_ms = t->events[i].at_ms > t->end_ms ? t->events[i].at_ms : t->end_ms;
    for (uint32_t i = 0; i < t->expect_count && o->until_ms < 0; i++)
        t->end_ms = t->expect[i].at_ms > t->end_ms ? t->expect[i].at_ms : t->end_ms;
    if (o->until_ms > t->end_ms)
        t->end_ms = o->until_ms;
}

/* What is after the end is never seen. */
static void check_end(tw_test_compiler *t, const test_options *o, const tw_tree *body)
{
    const tw_rule_test *test = t->test;
    tw_err err;

    if (o->until_ms >= 0 && test->event_count &&
        o->until_ms < test->events[test->event_count - 1].at_ms)
        tw_compile_say(t->c, tw_tree_get(body, "until_"),
                       "until_ lies before the last event of the feed");
    for (uint32_t i = 0; i < test->expect_count && o->until_ms >= 0; i++) {
        if (test->expect[i].at_ms <= test->end_ms)
            continue;
        tw_err_at(&err, TW_EINVAL, t->c->source->path, test->expect[i].place.line,
                  test->expect[i].place.column,
                  "this can never be met: the test ends at until_, before it");
        tw_findings_add(t->c->findings, &err, false);
        t->c->mistakes++;
    }
}

static void compile_parts(tw_test_compiler *t, const test_options *o, const tw_tree *body,
                          bool all_known)
{
    if (o->rule)
        compile_rules(t, o, body);
    else if (all_known)
        tw_compile_say(t->c, body,
                       "the test says not which rule it is of: rule = "
                       "\"team/name\"");
    if (o->feed)
        tw_compile_test_feed(t, o->feed);
    else if (all_known)
        tw_compile_say(
            t->c, body,
            "the test feeds nothing: feed = { { \"0s\", \"stream\", { ... } } }");
    if (o->expect)
        tw_compile_test_expect(t, o->expect);
    else if (all_known)
        tw_compile_say(t->c, body,
                       "the test expects nothing in particular: expect = {} is silence");
    if (o->vary)
        tw_compile_test_vary(t, o->vary);
    if (o->params && o->rule)
        compile_params(t, o->rule, o->params);
    if (o->tables)
        tw_compile_test_tables(t, o->tables);
    if (o->silences)
        compile_silences(t, o->silences);
    if (o->start &&
        tw_time_parse_rfc3339(o->start, strlen(o->start), &t->test->start_ms) < 0)
        tw_compile_say(t->c, tw_tree_get(body, "start"),
                       "start is a point in time like \"2024-01-01T00:00:00Z\"");
    set_end(t->test, o);
    check_end(t, o, body);
}

tw_rule_test *tw_compile_test(tw_compiler *c, tw_words *words, tw_tree *tree)
{
    size_t mistakes = c->mistakes;
    test_options o = {.until_ms = -1};
    tw_tree *body = test_body(c, tree);

    if (!body)
        return NULL;
    c->params = NULL;
    tw_rule_test *test = tw_alloc(sizeof *test);
    tw_test_compiler t = {c, words, test};
    tw_arena_init(&test->arena, ARENA_BLOCK);
    test->name = keep_text(&t, tree->items[0]->text);
    test->file = keep_text(&t, c->source->path);
    test->place = tw_compile_test_place(&t, tree);
    test->start_ms = TW_TEST_START_MS;
    tw_options_no_items(c, body, "test");
    bool all_known = tw_options_read(c, body, "test", test_table, &o);
    compile_parts(&t, &o, body, all_known);
    if (c->mistakes == mistakes)
        return test;
    tw_rule_test_free(test);
    return NULL;
}

void tw_rule_test_free(tw_rule_test *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->expect_count; i++)
        json_decref(t->expect[i].fields);
    for (uint32_t i = 0; i < t->silence_count; i++)
        json_decref(t->silences[i].match);
    json_decref(t->params);
    json_decref(t->tables);
    tw_free(t->events);
    tw_arena_done(&t->arena);
    tw_free(t);
}
