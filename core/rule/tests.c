// SPDX-License-Identifier: Apache-2.0
/* The tests of a set of rule files: held against the rules of all its files, and selections of rules to run
 * one test with. A selection owns the Lua states that wait in it and a reference to its parent. */
#include "rule/tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/nearest.h"
#include "rule/plan_test.h"

uint32_t tw_rule_files_test_count(const tw_rule_files *f)
{
    return f->test_count;
}

const tw_rule_test *tw_rule_files_test(const tw_rule_files *f, uint32_t i)
{
    return f->tests[i];
}

const tw_streams *tw_rule_files_streams(const tw_rule_files *f)
{
    return f->streams;
}

void tw_rule_tests_collect(tw_rule_files *set)
{
    for (uint32_t i = 0; i < set->file_count; i++) {
        tw_rule_file *f = &set->files[i];
        set->tests = tw_realloc(set->tests, (set->test_count + f->test_count + 1) *
                                                sizeof *set->tests);
        for (uint32_t k = 0; k < f->test_count; k++)
            set->tests[set->test_count++] = f->tests[k];
    }
}

/* ---- what tests say of rules ------------------------------------------------------- */

typedef struct resolver {
    const tw_rule_files *set;
    const tw_rule_test *test;
    tw_findings *findings;
    const tw_rule **rules; /* of the test */
    uint32_t rule_count;
} resolver;

static void say(resolver *r, tw_test_place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(resolver *r, tw_test_place at, const char *format, ...)
{
    char text[sizeof((tw_err *)0)->text];
    tw_err err;
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    tw_err_at(&err, TW_EINVAL, r->test->file, at.line, at.column, "%s", text);
    tw_findings_add(r->findings, &err, false);
}

/* " (did you mean 'x'?)" or "". */
static const char *hint(char *out, size_t size, const char *name, const char **names,
                        size_t count)
{
    const char *nearest = tw_nearest(name, names, count);

    out[0] = '\0';
    if (nearest)
        snprintf(out, size, " (did you mean '%s'?)", nearest);
    return out;
}

static const tw_rule *find_rule(const tw_rule_files *set, const char *name)
{
    for (uint32_t i = 0; i < set->rule_count; i++)
        if (strcmp(set->rules[i]->name, name) == 0)
            return set->rules[i];
    return NULL;
}

static void resolve_rules(resolver *r)
{
    const char **names = tw_calloc(r->set->rule_count + 1, sizeof *names);
    char text[300];

    for (uint32_t i = 0; i < r->set->rule_count; i++)
        names[i] = r->set->rules[i]->name;
    for (uint32_t i = 0; i < r->test->rule_count; i++) {
        const tw_rule *rule = find_rule(r->set, r->test->rules[i]);
        if (rule)
            r->rules[r->rule_count++] = rule;
        else
            say(r, r->test->rule_places[i],
                "there is no rule '%.128s' among the files that were given%s",
                r->test->rules[i],
                hint(text, sizeof text, r->test->rules[i], names, r->set->rule_count));
    }
    tw_free(names);
}

static const char **stream_names(const resolver *r, size_t *out_count)
{
    const char **names = NULL;

    *out_count = 0;
    for (uint32_t i = 0; i < r->rule_count; i++) {
        names = tw_realloc(names,
                           (*out_count + r->rules[i]->input_count + 1) * sizeof *names);
        for (uint32_t k = 0; k < r->rules[i]->input_count; k++)
            names[(*out_count)++] = r->rules[i]->inputs[k].stream->name;
    }
    return names;
}

static bool is_among(const char *name, const char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void resolve_streams(resolver *r)
{
    size_t count;
    const char **names = stream_names(r, &count);
    char text[300];

    for (uint32_t i = 0; i < r->test->line_count; i++) {
        const tw_test_line *line = &r->test->lines[i];
        if (is_among(line->stream, names, count))
            continue;
        if (tw_stream_name_tells_changes(line->stream))
            tw_streams_add((tw_streams *)(uintptr_t)r->set->streams, line->stream);
        else
            say(r, line->place, "no rule of the test reads the stream '%.128s'%s",
                line->stream, hint(text, sizeof text, line->stream, names, count));
    }
    tw_free(names);
}

static bool has_level(const tw_rule *rule, tw_level level)
{
    if (!rule->incident.set)
        return false;
    if (rule->detector == TW_DETECT_LEVEL) {
        bool has = level < TW_LEVELS && rule->level.levels[level].used;
        return has || (level == TW_LEVEL_UNKNOWN && rule->level.has_nodata &&
                       rule->level.nodata_be == TW_NODATA_UNKNOWN);
    }
    return rule->detector == TW_DETECT_HANDLER || rule->detector == TW_DETECT_MISSING ||
           rule->detector == TW_DETECT_CHANGE || rule->incident.severity == level;
}

static bool rule_may_give(const tw_rule *rule, tw_test_leaves leaves)
{
    static const tw_level levels[] = {[TW_LEAVES_INFO] = TW_LEVEL_INFO,
                                      [TW_LEAVES_WARN] = TW_LEVEL_WARN,
                                      [TW_LEAVES_CRIT] = TW_LEVEL_CRIT,
                                      [TW_LEAVES_UNKNOWN] = TW_LEVEL_UNKNOWN};
    if (leaves == TW_LEAVES_LATE)
        return true;
    if (leaves == TW_LEAVES_EMIT)
        return rule->emit != NULL;
    return leaves > TW_LEAVES_UNKNOWN ? rule->incident.set
                                      : has_level(rule, levels[leaves]);
}

static bool may_leave(const resolver *r, tw_test_leaves leaves)
{
    for (uint32_t i = 0; i < r->rule_count; i++)
        if (rule_may_give(r->rules[i], leaves))
            return true;
    return false;
}

static void resolve_expect(resolver *r)
{
    for (uint32_t i = 0; i < r->test->expect_count; i++) {
        const tw_test_expect *e = &r->test->expect[i];
        if (!may_leave(r, e->leaves))
            say(r, e->place, "this can never be met: %s has no %s",
                r->rule_count == 1 ? r->rules[0]->name : "no rule of the test",
                e->leaves == TW_LEAVES_OK || e->leaves == TW_LEAVES_SUMMARY
                    ? "alert"
                    : tw_test_leaves_names[e->leaves]);
    }
}

static void resolve_params(resolver *r)
{
    const char *name, *param;
    json_t *params, *value;
    char text[300];

    json_object_foreach(r->test->params, name, params)
    {
        const tw_rule *rule = find_rule(r->set, name);
        if (!rule) {
            say(r, r->test->params_place, "params: there is no rule '%.128s'", name);
            continue;
        }
        const char **names = tw_calloc(json_object_size(rule->params) + 1, sizeof *names);
        size_t count = 0;
        json_t *own;
        json_object_foreach(rule->params, names[count], own) count++;
        json_object_foreach(params, param, value)
        {
            own = json_object_get(rule->params, param);
            if (!own)
                say(r, r->test->params_place, "%s has no parameter '%.100s'%s", name,
                    param, hint(text, sizeof text, param, names, count));
            else if (json_is_number(own) ? !json_is_number(value)
                                         : json_typeof(own) != json_typeof(value))
                say(r, r->test->params_place,
                    "parameter '%.100s' of %s has a default of another type", param,
                    name);
        }
        tw_free(names);
    }
}

static void resolve_tables(resolver *r)
{
    const char *names[64], *name;
    size_t count = 0;
    json_t *rows;
    char text[300];

    for (uint32_t i = 0; i < r->rule_count; i++)
        for (uint32_t k = 0; k < r->rules[i]->lookup_count && count < 64; k++)
            if (r->rules[i]->lookups[k].table)
                names[count++] = r->rules[i]->lookups[k].table;
    json_object_foreach(r->test->tables, name, rows)
    {
        if (r->rules[0]->detector != TW_DETECT_MISSING && !is_among(name, names, count))
            say(r, r->test->tables_place, "no rule of the test looks up in '%.128s'%s",
                name, hint(text, sizeof text, name, names, count));
    }
}

static void resolve_name(resolver *r, tw_map *names)
{
    char *id = tw_asprintf("%s\n%s", r->test->file, r->test->name);
    const tw_rule_test *first = tw_map_get(names, id);

    if (first)
        say(r, r->test->place, "test \"%.200s\" is there twice; it is also at line %d",
            r->test->name, first->place.line);
    else
        tw_map_put(names, id, (void *)(uintptr_t)r->test);
    tw_free(id);
}

void tw_rule_tests_resolve(tw_rule_files *set, tw_findings *findings)
{
    tw_map *names = tw_map_new(NULL);

    for (uint32_t i = 0; i < set->test_count; i++) {
        resolver r = {.set = set, .test = set->tests[i], .findings = findings};
        size_t first = findings->count;
        r.rules = tw_calloc(r.test->rule_count + 1, sizeof *r.rules);
        resolve_name(&r, names);
        resolve_rules(&r);
        if (findings->count == first) {
            resolve_streams(&r);
            resolve_expect(&r);
            resolve_params(&r);
            resolve_tables(&r);
        }
        tw_free(r.rules);
    }
    tw_map_free(names);
}

/* ---- selections -------------------------------------------------------------------- */

tw_rule_files *tw_rule_files_select(const tw_rule_files *f, const char *const *names,
                                    uint32_t count)
{
    tw_rule_files *s = tw_alloc(sizeof *s);

    atomic_init(&s->refs, 1);
    s->parent = tw_rule_files_ref((tw_rule_files *)(uintptr_t)f);
    s->files = f->files;
    s->file_count = f->file_count;
    s->streams = f->streams;
    s->limits = f->limits;
    s->log = f->log;
    s->log_self = f->log_self;
    s->rules = tw_calloc(f->rule_count + 1, sizeof(tw_rule *));
    s->idle = tw_calloc(f->file_count + 1, sizeof(struct tw_lua_script *));
    for (uint32_t i = 0; i < f->rule_count; i++) { /* in the order of their names */
        bool wanted = false;
        for (uint32_t k = 0; k < count && !wanted; k++)
            wanted = strcmp(names[k], f->rules[i]->name) == 0;
        if (wanted)
            s->rules[s->rule_count++] = f->rules[i];
    }
    return s;
}

void tw_rule_files_drop_idle(tw_rule_files *s)
{
    struct tw_lua_script **idle = s->idle;

    s->idle = NULL; /* so that what is freed does not come back */
    for (uint32_t i = 0; idle && i < s->file_count; i++) {
        struct tw_lua_script *one = idle[i];
        idle[i] = NULL;
        if (!one)
            continue;
        tw_rule_files_ref(s); /* its end gives that back */
        tw_rule_script_free((tw_script *)one);
    }
    s->idle = idle;
}

void tw_rule_files_deselect(tw_rule_files *s)
{
    atomic_store(&s->refs, 1);
    tw_rule_files_drop_idle(s);
    tw_free(s->idle);
    tw_free(s->rules);
    tw_rule_files_unref(s->parent);
    tw_free(s);
}
