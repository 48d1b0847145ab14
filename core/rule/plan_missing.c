// SPDX-License-Identifier: Apache-2.0
/* `detect = missing { "hb", ... }`: who is expected, and how long they may be silent. */
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "flow/plan_missing.h"
#include "rule/compile.h"

#define DAY_MS INT64_C(86400000)

typedef struct missing_options {
    const tw_tree *every, *expect;
    const char *by, *zone, *days, *stop_on;
    int64_t grace_ms, learn_ms, guard_ms;
} missing_options;

#define AT(field) offsetof(missing_options, field)
static const tw_option missing_table[] = {
    {"every", TW_OPTION_ANY, AT(every), 0, 0, NULL},
    {"grace", TW_OPTION_DURATION, AT(grace_ms), 0, 0, NULL},
    {"by", TW_OPTION_TEXT, AT(by), 0, 0, NULL},
    {"zone", TW_OPTION_TEXT, AT(zone), 0, 0, NULL},
    {"days", TW_OPTION_TEXT, AT(days), 0, 0, NULL},
    {"expect", TW_OPTION_TABLE, AT(expect), 0, 0, NULL},
    {"learn", TW_OPTION_DURATION, AT(learn_ms), 1, 0, NULL},
    {"source_guard", TW_OPTION_DURATION, AT(guard_ms), 1, 0, NULL},
    {"stop_on", TW_OPTION_TEXT, AT(stop_on), 0, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

typedef struct expect_options {
    const char *table;
    const tw_tree *where, *key;
    int64_t learn_ms;
} expect_options;

#define AT(field) offsetof(expect_options, field)
static const tw_option expect_table[] = {
    {"table", TW_OPTION_TEXT, AT(table), 0, 0, NULL},
    {"where", TW_OPTION_TABLE, AT(where), 0, 0, NULL},
    {"key", TW_OPTION_ANY, AT(key), 0, 0, NULL},
    {"learn", TW_OPTION_DURATION, AT(learn_ms), 1, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};
#undef AT

/* ---- when -------------------------------------------------------------------------- */

static void read_every(tw_compiler *c, const tw_tree *every, tw_missing_plan *p)
{
    if (!tw_tree_is_word(every, "path")) {
        const tw_tree *v = tw_compile_value(c, every);
        if (tw_compile_duration(c, v, "every", &p->every_ms) && p->every_ms < 1)
            tw_compile_say(c, every, "every must be longer than zero");
        return;
    }
    p->has_every_slot = true;
    if (every->item_count != 1 || every->items[0]->type != TW_TREE_STRING) {
        tw_compile_say(c, every, "path takes the name of a field: every = path \"ttl\"");
        return;
    }
    tw_stream *stream = c->rule->inputs[p->input].stream;
    if (stream &&
        tw_compile_path(c, every, stream, every->items[0]->text, &p->every_slot))
        tw_compile_reads(c, p->input, p->every_slot);
}

static void read_daily(tw_compiler *c, const tw_tree *table, const missing_options *o,
                       tw_missing_plan *p)
{
    tw_err err = {0};

    p->is_daily = true;
    if (tw_daytime_parse(o->by, &p->daytime_ms, &err) < 0)
        tw_compile_say(c, tw_tree_get(table, "by"), "by: %s", err.text);
    if (o->days && tw_days_parse(o->days, &p->days, &err) < 0)
        tw_compile_say(c, tw_tree_get(table, "days"), "days: %s", err.text);
    if (o->zone && !(p->zone = tw_zone_open(o->zone, &err)))
        tw_compile_say(c, tw_tree_get(table, "zone"), "zone: %s", err.text);
    if (p->grace_ms >= DAY_MS)
        tw_compile_say(c, tw_tree_get(table, "grace"),
                       "grace must be shorter than a day beside by");
}

static void read_times(tw_compiler *c, const tw_tree *table, const missing_options *o,
                       tw_missing_plan *p)
{
    const tw_tree *every = tw_tree_get(table, "every"), *by = tw_tree_get(table, "by");

    p->grace_ms = o->grace_ms;
    p->guard_ms = o->guard_ms;
    if (every && by)
        tw_compile_say(c, by, "every and by are two ways to say when; take one");
    else if (!every && !by)
        tw_compile_say(c, table,
                       "missing needs every = \"60s\", every = path \"ttl\" or by = "
                       "\"03:00\"");
    if (!by && (o->zone || o->days))
        tw_compile_say(c, tw_tree_get(table, o->zone ? "zone" : "days"),
                       "zone and days belong to by = \"03:00\"");
    if (every)
        read_every(c, every, p);
    else if (o->by)
        read_daily(c, table, o, p);
    if (p->every_ms > 0 && p->guard_ms >= p->every_ms + p->grace_ms)
        tw_compile_say(c, tw_tree_get(table, "source_guard"),
                       "source_guard must be shorter than every and grace together; keys "
                       "would be told before the source");
    if (p->guard_ms > 0 && c->rule->key_count == 0)
        tw_compile_say(
            c, tw_tree_get(table, "source_guard"),
            "source_guard needs a key: without one the source is all there is");
}

/* ---- who --------------------------------------------------------------------------- */

static void check_table(tw_compiler *c, const tw_tree *at, const char *name)
{
    const char *const *tables = c->options->tables;
    size_t count = 0;

    for (; tables && tables[count]; count++)
        if (strcmp(tables[count], name) == 0)
            return;
    if (tables)
        tw_compile_say(c, at, "there is no table '%s'%s", name,
                       tw_compile_hint(c, name, tables, count));
}

/* Which columns make the key: as many as the rule's key has fields; without `key` those of the same names. */
static void read_columns(tw_compiler *c, const tw_tree *expect, const tw_tree *key,
                         tw_missing_plan *p)
{
    const tw_rule *r = c->rule;
    bool is_list = key && key->type == TW_TREE_TABLE && key->entry_count == 0;
    tw_stream *row = tw_streams_at(p->streams, 0);

    p->column_count = r->key_count;
    p->may_be_row_key = r->key_count == 1 && !key;
    if (key &&
        (is_list ? key->item_count : key->type == TW_TREE_STRING) != r->key_count) {
        tw_compile_say(c, key,
                       "key names the columns that make the rule's key, as many as it "
                       "has fields (%u)",
                       r->key_count);
        return;
    }
    for (uint32_t i = 0; i < r->key_count; i++) {
        const tw_tree *named = is_list ? key->items[i] : key;
        if (named && named->type != TW_TREE_STRING)
            tw_compile_say(c, named, "a column is a string, not %s", tw_tree_name(named));
        else if (p->may_be_row_key)
            tw_compile_slot(c, expect, row, r->key_names[i], &p->columns[i]);
        else
            tw_compile_path(c, named ? named : expect, row,
                            named ? named->text : r->key_names[i], &p->columns[i]);
    }
}

static void read_table(tw_compiler *c, const tw_tree *expect, const expect_options *o,
                       tw_missing_plan *p)
{
    p->table = tw_strdup(o->table);
    p->streams = tw_streams_new();
    tw_streams_add(p->streams, o->table);
    check_table(c, tw_tree_get(expect, "table"), o->table);
    if (o->where)
        p->where = tw_compile_match(c, o->where, tw_streams_at(p->streams, 0), NULL);
    read_columns(c, expect, o->key, p);
    if (c->rule->key_count == 0)
        tw_compile_say(c, expect, "a table of what is expected needs a rule with a key");
    if (p->has_every_slot)
        tw_compile_say(c, tw_tree_get(expect, "table"),
                       "every = path ... does not go with a table: of keys that never "
                       "came nobody knows how often they should; write every = "
                       "\"60s\"");
}

static void read_who(tw_compiler *c, const tw_tree *table, const missing_options *o,
                     tw_missing_plan *p)
{
    const tw_tree *learn = tw_tree_get(table, "learn");
    expect_options e = {0};
    bool all_known = true;

    if (o->expect) {
        tw_options_no_items(c, o->expect, "expect");
        all_known = tw_options_read(c, o->expect, "expect", expect_table, &e);
    }
    if (o->expect && all_known && !e.table && !e.learn_ms)
        tw_compile_say(c, o->expect,
                       "expect is { table = \"name\", where = { ... } } or { learn = "
                       "\"24h\" }");
    if ((learn != NULL) + (e.learn_ms > 0) + (e.table != NULL) > 1)
        tw_compile_say(c, learn ? learn : o->expect,
                       "who is expected is learned, or a table says so; take one");
    if (!e.table && (e.where || e.key))
        tw_compile_say(c, o->expect, "where and key belong to table = \"name\"");
    if (e.table) {
        read_table(c, o->expect, &e, p);
        return;
    }
    p->learn_ms = e.learn_ms ? e.learn_ms : o->learn_ms ? o->learn_ms : DAY_MS;
    int64_t least_ms = p->is_daily ? DAY_MS : p->every_ms + p->grace_ms;
    if ((learn || e.learn_ms) && p->learn_ms <= least_ms)
        tw_compile_say(c, learn ? learn : o->expect,
                       "learn must be longer than %s; a key would be off the list before "
                       "it is missing",
                       p->is_daily ? "a day" : "every and grace together");
    else if (p->learn_ms <= least_ms)
        p->learn_ms = least_ms > DAY_MS * 3500 ? INT64_MAX / 4 : 8 * least_ms;
}

static void read_inputs(tw_compiler *c, const tw_tree *word, const tw_tree *table,
                        const missing_options *o, tw_missing_plan *p)
{
    if (table->item_count != 1) {
        tw_compile_say(c, table->item_count ? table->items[1] : word,
                       "missing takes the name of one input: missing { \"hb\", every = "
                       "\"60s\" }");
        return;
    }
    int input = tw_compile_input_number(c, table->items[0], table->items[0]);
    p->input = input < 0 ? 0 : (uint32_t)input;
    if (!o->stop_on)
        return;
    const tw_tree *stop = tw_tree_get(table, "stop_on");
    p->stop_input = tw_compile_input_number(c, stop, tw_compile_value(c, stop));
    if (p->stop_input >= 0 && p->stop_input == input)
        tw_compile_say(c, stop, "stop_on is another input than the one that is expected");
}

static int64_t span_of(const tw_missing_plan *p)
{
    int64_t span_ms = p->is_daily ? 7 * DAY_MS : p->every_ms + p->grace_ms;

    return p->guard_ms > span_ms ? p->guard_ms : span_ms;
}

void tw_compile_missing(tw_compiler *c, const tw_tree *word)
{
    const tw_tree *table = tw_compile_word_table(c, word);
    missing_options o = {0};
    tw_missing_plan *p = tw_missing_plan_new();

    c->rule->detector = TW_DETECT_MISSING;
    c->rule->detail = p;
    c->rule->detail_free = tw_missing_plan_free;
    c->keeps = true;
    c->rule->elapsed_fact = tw_compile_fact(c, "silent") + 1;
    tw_compile_fact(c, "last_seen");
    if (!table || !c->rule->inputs)
        return;
    bool all_known = tw_options_read(c, table, "missing", missing_table, &o);
    read_inputs(c, word, table, &o, p);
    if (all_known || tw_tree_get(table, "every") || tw_tree_get(table, "by"))
        read_times(c, table, &o, p);
    read_who(c, table, &o, p);
    c->rule->span_ms = span_of(p);
}
