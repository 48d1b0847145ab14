// SPDX-License-Identifier: Apache-2.0
/* What a test expects to leave, and the disturbances under which it must hold all the same. */
#include <string.h>

#include "base/duration.h"
#include "rule/plan_test.h"

const char *const tw_test_leaves_names[] = {"info", "warn",    "crit", "unknown", "ok",
                                            "emit", "summary", "late", NULL};

/* ---- fields ------------------------------------------------------------------------ */

static json_t *wanted_table(tw_test_compiler *t, const tw_tree *v)
{
    bool is_list = v->item_count > 0;
    json_t *out = is_list ? json_array() : json_object(), *part;

    if (is_list && v->entry_count)
        tw_compile_say(t->c, v, "what is expected is an object or a list, not both");
    for (uint32_t i = 0; i < v->item_count; i++)
        if ((part = tw_compile_test_wanted(t, v->items[i])))
            json_array_append_new(out, part);
    for (uint32_t i = 0; i < v->entry_count && !is_list; i++)
        if ((part = tw_compile_test_wanted(t, v->entries[i].value)))
            json_object_set_new(out, v->entries[i].key, part);
    return out;
}

static json_t *wanted_word(tw_test_compiler *t, const tw_tree *v)
{
    static const struct {
        const char *word;
        uint32_t least, most;
        bool numbers;
    } words[] = {
        {"gt", 1, 1, true},      {"gte", 1, 1, true},     {"lt", 1, 1, true},
        {"lte", 1, 1, true},     {"between", 2, 2, true}, {"oneof", 1, 1000, false},
        {"prefix", 1, 1, false}, {"suffix", 1, 1, false}, {"contains", 1, 1, false},
        {"except", 1, 1, false}, {"exists", 0, 0, false}, {"missing_field", 0, 0, false},
    };
    double number;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(v->text, words[i].word) != 0)
            continue;
        json_t *values = json_array(), *part;
        bool good = v->item_count >= words[i].least && v->item_count <= words[i].most;
        for (uint32_t k = 0; good && k < v->item_count; k++) {
            good = !words[i].numbers || tw_tree_number(v->items[k], &number);
            if (good && (part = tw_compile_test_wanted(t, v->items[k])))
                json_array_append_new(values, part);
        }
        if (!good)
            tw_compile_say(t->c, v, "%s stands here with other values than it takes",
                           v->text);
        char name[32] = "$";
        strncat(name, v->text, sizeof name - 2);
        return json_pack("{s:o}", name, values);
    }
    tw_compile_say(
        t->c, v,
        "'%s' says nothing of what leaves; use a value, oneof, gt, gte, lt, "
        "lte, between, prefix, suffix, contains, except, exists or missing_field",
        v->text);
    return NULL;
}

json_t *tw_compile_test_wanted(tw_test_compiler *t, const tw_tree *v)
{
    if (v->type == TW_TREE_TABLE)
        return wanted_table(t, v);
    if (v->type == TW_TREE_WORD)
        return wanted_word(t, v);
    if (v->type == TW_TREE_NULL)
        return json_pack("{s:[]}", "$null");
    json_t *plain = tw_compile_json(v);
    if (!plain)
        tw_compile_say(t->c, v, "what is expected is a value or a matcher, not %s",
                       tw_tree_name(v));
    return plain;
}

/* ---- expect ------------------------------------------------------------------------ */

static bool read_leaves(tw_test_compiler *t, const tw_tree *v, tw_test_leaves *out)
{
    size_t count = 0;

    for (; tw_test_leaves_names[count]; count++) {
        if (v->type == TW_TREE_STRING &&
            strcmp(v->text, tw_test_leaves_names[count]) == 0) {
            *out = (tw_test_leaves)count;
            return true;
        }
    }
    tw_compile_say(t->c, v,
                   "this can never be met: what leaves is \"info\", \"warn\", \"crit\", "
                   "\"unknown\", \"ok\", \"emit\", \"summary\" or \"late\", not %s%s",
                   v->type == TW_TREE_STRING ? v->text : tw_tree_name(v),
                   v->type == TW_TREE_STRING
                       ? tw_compile_hint(t->c, v->text, tw_test_leaves_names, count)
                       : "");
    return false;
}

static void compile_expect(tw_test_compiler *t, const tw_tree *v)
{
    if (v->type != TW_TREE_TABLE || v->item_count < 2 || v->item_count > 3) {
        tw_compile_say(t->c, v,
                       "what is expected is a time, what leaves and its fields: { "
                       "\"2m\", \"crit\", { service = \"cart\" } }");
        return;
    }
    if (v->entry_count)
        tw_compile_say(
            t->c, v->entries[0].value,
            "the fields stand in a table of their own: { \"2m\", \"crit\", { %s "
            "= ... } }",
            v->entries[0].key);
    tw_test_expect *e = &t->test->expect[t->test->expect_count++];
    *e = (tw_test_expect){.place = tw_compile_test_place(t, v)};
    tw_compile_test_time(t, v->items[0], "the time of what is expected", &e->at_ms);
    read_leaves(t, v->items[1], &e->leaves);
    if (v->item_count == 3 && v->items[2]->type != TW_TREE_TABLE)
        tw_compile_say(t->c, v->items[2], "the expected fields are a table, not %s",
                       tw_tree_name(v->items[2]));
    else if (v->item_count == 3 && v->items[2]->item_count)
        tw_compile_say(t->c, v->items[2],
                       "the expected fields have names: { service = "
                       "\"cart\" }");
    else if (v->item_count == 3)
        e->fields = wanted_table(t, v->items[2]);
}

void tw_compile_test_expect(tw_test_compiler *t, const tw_tree *expect)
{
    tw_rule_test *test = t->test;

    if (expect->entry_count)
        tw_compile_say(
            t->c, expect->entries[0].value,
            "expect is a list: { { \"2m\", \"crit\" } }; expect = {} is silence");
    test->expect =
        tw_arena_alloc(&test->arena, (expect->item_count + 1) * sizeof *test->expect);
    for (uint32_t i = 0; i < expect->item_count; i++)
        compile_expect(t, expect->items[i]);
}

/* ---- vary -------------------------------------------------------------------------- */

static const struct {
    const char *word;
    const char *sign; /* what stands before its time; NULL: it has none */
    tw_disturbance_kind kind;
} disturbances[] = {
    {"shuffle", "<=", TW_DISTURB_SHUFFLE},     {"delay", "<=", TW_DISTURB_DELAY},
    {"duplicate", NULL, TW_DISTURB_DUPLICATE}, {"future", NULL, TW_DISTURB_FUTURE},
    {"stall", "@", TW_DISTURB_STALL},          {"reload", "@", TW_DISTURB_RELOAD},
    {"rebalance", "@", TW_DISTURB_REBALANCE},  {"restart", "@", TW_DISTURB_RESTART},
    {"lanes", NULL, TW_DISTURB_LANES},
};
enum { DISTURBANCE_COUNT = sizeof disturbances / sizeof *disturbances };

static void say_shape(tw_test_compiler *t, const tw_tree *v, size_t i)
{
    const char *word = disturbances[i].word, *sign = disturbances[i].sign;

    if (sign)
        tw_compile_say(t->c, v, "\"%.40s\": %s stands with a time: \"%s%s30s\"", v->text,
                       word, word, sign);
    else
        tw_compile_say(t->c, v, "\"%.40s\": %s stands alone", v->text, word);
}

static void add_disturbance(tw_test_compiler *t, tw_variation *to, const tw_tree *v)
{
    const char *names[DISTURBANCE_COUNT];
    size_t n = v->type == TW_TREE_STRING ? strcspn(v->text, "<@= ") : 0;
    int64_t ms = 0;

    for (size_t i = 0; i < DISTURBANCE_COUNT && n; i++) {
        names[i] = disturbances[i].word;
        if (strlen(names[i]) != n || strncmp(v->text, names[i], n) != 0)
            continue;
        const char *sign = disturbances[i].sign, *rest = v->text + n;
        bool good = sign ? strncmp(rest, sign, strlen(sign)) == 0 : !*rest;
        if (good && sign) {
            rest += strlen(sign);
            good = tw_duration_parse(rest, strlen(rest), &ms) == TW_OK;
        }
        if (!good)
            say_shape(t, v, i);
        else if (to->count < TW_TEST_DISTURBANCES)
            to->items[to->count++] = (tw_disturbance){disturbances[i].kind, ms};
        return;
    }
    char *word = tw_arena_strndup(t->c->arena, v->text ? v->text : "", n);
    tw_compile_say(t->c, v,
                   "vary has no %s%s; it has shuffle<=T, delay<=T, duplicate, "
                   "future, stall@T, reload@T, rebalance@T, restart@T and lanes",
                   n ? v->text : tw_tree_name(v),
                   n ? tw_compile_hint(t->c, word, names, DISTURBANCE_COUNT) : "");
}

/* One string, or a list of strings that come together. */
static void compile_variation(tw_test_compiler *t, const tw_tree *v)
{
    tw_variation *to = &t->test->vary[t->test->vary_count++];
    const char *name = "", *with = "";

    *to = (tw_variation){.place = tw_compile_test_place(t, v)};
    bool is_list = v->type == TW_TREE_TABLE && v->item_count > 0 && !v->entry_count;
    uint32_t count = is_list ? v->item_count : 1;
    if (count > TW_TEST_DISTURBANCES) {
        tw_compile_say(t->c, v, "at most %d disturbances come together",
                       TW_TEST_DISTURBANCES);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const tw_tree *item = is_list ? v->items[i] : v;
        add_disturbance(t, to, item);
        if (item->type != TW_TREE_STRING)
            continue;
        size_t size = strlen(name) + strlen(with) + item->size + 1;
        char *longer = tw_arena_alloc(&t->test->arena, size);
        snprintf(longer, size, "%s%s%s", name, with, item->text);
        name = longer;
        with = " + ";
    }
    to->name = name;
}

void tw_compile_test_vary(tw_test_compiler *t, const tw_tree *vary)
{
    tw_rule_test *test = t->test;

    if (vary->entry_count)
        tw_compile_say(t->c, vary->entries[0].value,
                       "vary is a list: { \"shuffle<=30s\", \"duplicate\" }");
    test->vary =
        tw_arena_alloc(&test->arena, (vary->item_count + 1) * sizeof *test->vary);
    for (uint32_t i = 0; i < vary->item_count; i++)
        compile_variation(t, vary->items[i]);
}
