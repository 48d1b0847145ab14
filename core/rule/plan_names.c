// SPDX-License-Identifier: Apache-2.0
/* Names of fields and columns where it is known which there are: strict streams, and look-up tables that could be
 * read. A name that is none of them is a finding where it stands. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rule/compile.h"

#define ALL_INPUTS UINT64_MAX

/* ---- columns ----------------------------------------------------------------------- */

static const tw_declared *columns_of(const tw_compiler *c, const char *table)
{
    const tw_rule_options *o = c->options;

    for (size_t i = 0; o->table_columns && o->tables && o->tables[i]; i++)
        if (strcmp(o->tables[i], table) == 0)
            return tw_declared_known(o->table_columns[i]) ? o->table_columns[i] : NULL;
    return NULL;
}

static void note_column(tw_rule *r, const char *table, const char *name)
{
    for (uint32_t i = 0; i < r->column_count; i++)
        if (strcmp(r->columns[i].table, table) == 0 &&
            strcmp(r->columns[i].name, name) == 0)
            return;
    r->columns = tw_realloc(r->columns, (r->column_count + 1) * sizeof *r->columns);
    r->columns[r->column_count++] = (tw_column){tw_strdup(table), tw_strdup(name)};
}

static const char *near(tw_compiler *c, const tw_declared *d, const char *name)
{
    const char *nearest = tw_declared_nearest(d, name);

    return nearest ? tw_compile_hint(c, nearest, &nearest, 1) : "";
}

int tw_compile_column(tw_compiler *c, const char *table, const char *name, tw_err *err)
{
    const tw_declared *columns = columns_of(c, table);

    note_column(c->rule, table, name);
    if (!columns || tw_declared_has_column(columns, name, strlen(name)))
        return TW_OK;
    return tw_err_set(err, TW_ENOTFOUND, "table '%s' has no column '%s'%s", table, name,
                      near(c, columns, name));
}

/* `miss` gives it instead of a row, and it may be no column at all. Where it is one now, it is to stay one. */
static void note_if_column(tw_compiler *c, const char *table, const char *name)
{
    const tw_declared *columns = columns_of(c, table);

    if (columns && tw_declared_has_column(columns, name, strlen(name)))
        note_column(c->rule, table, name);
}

/* `${owner.team}` or `${owner.on_call.name}`: the part behind the look-up's name. What `miss` gives instead of a row
 * has columns of its own. */
int tw_compile_looked_up(tw_compiler *c, const char *path, tw_err *err)
{
    const tw_lookup *l = NULL;
    const char *rest = strchr(path, '.');

    for (uint32_t i = 0; rest && i < c->rule->lookup_count; i++)
        if (strncmp(c->rule->lookups[i].name, path, (size_t)(rest - path)) == 0 &&
            !c->rule->lookups[i].name[rest - path])
            l = &c->rule->lookups[i];
    if (!l || !l->table)
        return TW_OK;
    if (json_object_get(l->fallback, rest + 1)) {
        note_if_column(c, l->table, rest + 1);
        return TW_OK;
    }
    const tw_declared *columns = columns_of(c, l->table);
    size_t n = strlen(rest + 1), first = strcspn(rest + 1, ".");
    if (columns && tw_declared_has_column(columns, rest + 1, n))
        first = n; /* a column with a dot in its name */
    char *name = tw_arena_strndup(c->arena, rest + 1, first);
    if (!json_object_get(l->fallback, name))
        return tw_compile_column(c, l->table, name, err);
    note_if_column(c, l->table, name);
    return TW_OK;
}

/* ---- fields ------------------------------------------------------------------------ */

/* The columns of a table are fields of a stream of its own. */
static bool is_table(const tw_compiler *c, const tw_stream *stream)
{
    return tw_streams_at(c->options->streams, stream->id) != stream;
}

bool tw_compile_declared(tw_compiler *c, const tw_tree *at, const tw_stream *stream,
                         uint32_t slot)
{
    const tw_field *field = tw_fields_at(stream->fields, slot);
    tw_err err;

    if (field && is_table(c, stream)) {
        const char *name = field->steps[0].name;
        if (tw_compile_column(c, stream->name, name, &err) < 0) {
            tw_compile_say(c, at, "%s", err.text);
            return false;
        }
        return true;
    }
    if (!field || !stream->declared || tw_declared_has(stream->declared, field))
        return true;
    tw_compile_say(c, at, "stream '%s' is strict and declares no field '%s'%s",
                   stream->name, field->path, near(c, stream->declared, field->path));
    return false;
}

/* Whether a stream may have events with that field; *out_strict: it would have said so. */
static bool may_have(const tw_stream *stream, const char *path)
{
    int slot = tw_fields_slot(stream->fields, path, NULL);
    const tw_field *field =
        slot < 0 ? NULL : tw_fields_at(stream->fields, (uint32_t)slot);

    return !field || !stream->declared || tw_declared_has(stream->declared, field);
}

int tw_compile_some_field(tw_compiler *c, uint64_t inputs, const char *path, tw_err *err)
{
    const tw_rule *r = c->rule;
    const tw_stream *one = NULL;
    const char *hint = "";
    bool several = false;

    for (uint32_t i = 0; i < r->input_count; i++) {
        const tw_stream *stream = r->inputs[i].stream;
        if (inputs && !(inputs & UINT64_C(1) << i))
            continue;
        if (!stream || may_have(stream, path))
            return TW_OK;
        several = several || (one && one != stream);
        one = one ? one : stream;
        hint = *hint ? hint : near(c, stream->declared, path);
    }
    if (!one)
        return TW_OK;
    return several ? tw_err_set(err, TW_ENOTFOUND,
                                "the streams are strict and none declares a field "
                                "'%s'%s",
                                path, hint)
                   : tw_err_set(err, TW_ENOTFOUND,
                                "stream '%s' is strict and declares no field '%s'%s",
                                one->name, path, hint);
}

/* ---- types ------------------------------------------------------------------------- */

bool tw_compile_type(tw_compiler *c, const tw_tree *at, const tw_stream *stream,
                     uint32_t slot, tw_declared_type wanted, const char *why)
{
    static const char *const names[] = {
        [TW_DECLARED_ANY] = "anything",    [TW_DECLARED_TEXT] = "text",
        [TW_DECLARED_NUMBER] = "a number", [TW_DECLARED_BOOL] = "true or false",
        [TW_DECLARED_LIST] = "a list",     [TW_DECLARED_MAP] = "a map"};
    const tw_field *field = stream ? tw_fields_at(stream->fields, slot) : NULL;

    if (!field || !stream->declared || wanted == TW_DECLARED_ANY)
        return true;
    tw_declared_type type = tw_declared_type_of(stream->declared, field->path);
    if (type == TW_DECLARED_ANY || type == wanted)
        return true;
    tw_compile_say(c, at, "'%s' is declared as %s by stream '%s', and %s %s", field->path,
                   names[type], stream->name, why, names[wanted]);
    return false;
}

/* ---- functions --------------------------------------------------------------------- */

static void say_read(tw_compiler *c, const tw_function_read *read, const tw_err *err)
{
    tw_tree at = {.spot = read->token};

    tw_compile_say(c, &at, "%s", err->text);
}

static void check_read(tw_compiler *c, const tw_function_read *read, const char *path,
                       uint64_t inputs)
{
    tw_err err;

    if (*path != '@' && tw_compile_some_field(c, inputs, path, &err) < 0)
        say_read(c, read, &err);
}

static bool any_strict(const tw_compiler *c)
{
    for (uint32_t i = 0; i < c->rule->input_count; i++)
        if (c->rule->inputs[i].stream && c->rule->inputs[i].stream->declared)
            return true;
    return false;
}

static tw_function_read *reads_of(const tw_compiler *c, const tw_tree *fn, uint32_t param,
                                  uint32_t *out_count)
{
    *out_count = 0;
    if (!fn || fn->type != TW_TREE_FUNCTION || !fn->behind || !any_strict(c))
        return NULL;
    return tw_locate_reads(&c->source->tokens, fn->from, fn->behind, param, out_count);
}

void tw_compile_event_reads(tw_compiler *c, const tw_tree *fn, uint32_t param,
                            uint64_t inputs)
{
    uint32_t count;
    tw_function_read *reads = reads_of(c, fn, param, &count);

    for (uint32_t i = 0; i < count; i++)
        check_read(c, &reads[i], reads[i].path, inputs);
    tw_function_reads_free(reads, count);
}

/* Behind the role's name: a field, or of several events `count`, `first.x`, `last.x`. */
static void check_in_role(tw_compiler *c, const tw_function_read *read,
                          const tw_role *role, const char *path)
{
    if (role->is_list) {
        bool is_one = strncmp(path, "first.", 6) == 0 || strncmp(path, "last.", 5) == 0;
        if (!is_one)
            return;
        path = strchr(path, '.') + 1;
    }
    check_read(c, read, path, role->inputs);
}

void tw_compile_role_reads(tw_compiler *c, const tw_tree *fn, uint32_t param)
{
    const tw_rule *r = c->rule;
    uint32_t count;
    tw_function_read *reads = reads_of(c, fn, param, &count);

    for (uint32_t i = 0; i < count; i++) {
        size_t n = strcspn(reads[i].path, ".");
        for (uint32_t k = 0; reads[i].path[n] && k < r->role_count; k++)
            if (strlen(r->roles[k].name) == n &&
                memcmp(r->roles[k].name, reads[i].path, n) == 0)
                check_in_role(c, &reads[i], &r->roles[k], reads[i].path + n + 1);
    }
    tw_function_reads_free(reads, count);
}
