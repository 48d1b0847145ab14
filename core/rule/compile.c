// SPDX-License-Identifier: Apache-2.0
/* What all parts of the compiler need: telling a finding, and the value of what was written, with
 * parameters put in and arithmetic on numbers done. */
#include "rule/compile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/nearest.h"

void tw_compile_place(const tw_compiler *c, const tw_tree *at, int *out_line,
                      int *out_column)
{
    const tw_tokens *t = &c->source->tokens;

    *out_line = at ? at->line : 0;
    *out_column = 0;
    if (at && at->spot < t->count) {
        *out_line = t->items[at->spot].line;
        *out_column = t->items[at->spot].column;
    }
}

/* A field of two inputs is looked for twice. */
static bool is_told_there(const tw_compiler *c, const tw_err *err)
{
    for (size_t i = c->first_finding; i < c->findings->count; i++) {
        const tw_err *told = &c->findings->items[i].err;
        if (told->line == err->line && told->column == err->column &&
            strcmp(told->text, err->text) == 0)
            return true;
    }
    return false;
}

static void tell(tw_compiler *c, const tw_tree *at, bool warning, const char *format,
                 va_list ap)
{
    char text[sizeof((tw_err *)0)->text];
    tw_err err;
    int line, column;

    if (tw_compile_is_told(at))
        return;
    size_t errors = tw_findings_errors(c->findings, c->first_finding);
    size_t warnings = c->findings->count - c->first_finding - errors;
    c->mistakes += !warning;
    if ((warning ? warnings : errors) >= TW_FINDINGS_PER_FILE)
        return;
    tw_compile_place(c, at, &line, &column);
    vsnprintf(text, sizeof text, format, ap);
    tw_err_at(&err, TW_EINVAL, c->source->path, line, column, "%s", text);
    if (!is_told_there(c, &err))
        tw_findings_add(c->findings, &err, warning);
}

void tw_compile_say(tw_compiler *c, const tw_tree *at, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    tell(c, at, false, format, ap);
    va_end(ap);
}

void tw_compile_warn(tw_compiler *c, const tw_tree *at, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    tell(c, at, true, format, ap);
    va_end(ap);
}

const char *tw_compile_hint(tw_compiler *c, const char *name, const char *const *names,
                            size_t count)
{
    const char *nearest = tw_nearest(name, names, count);
    if (!nearest)
        return "";
    size_t n = strlen(nearest) + sizeof " (did you mean ''?)";
    char *hint = tw_arena_alloc(c->arena, n);
    snprintf(hint, n, " (did you mean '%s'?)", nearest);
    return hint;
}

/* ---- values ------------------------------------------------------------------------ */

static tw_tree *new_number(tw_compiler *c, const tw_tree *at, double d)
{
    tw_tree *t = tw_arena_alloc(c->arena, sizeof *t);
    *t = (tw_tree){.type = TW_TREE_NUMBER, .spot = at->spot, .line = at->line, .d = d};
    return t;
}

static const char *const *param_names(tw_compiler *c, size_t *out_count)
{
    *out_count = c->params ? c->params->entry_count : 0;
    const char **names = tw_arena_alloc(c->arena, (*out_count + 1) * sizeof *names);
    for (size_t i = 0; i < *out_count; i++)
        names[i] = c->params->entries[i].key;
    return names;
}

/* Stands for a value that was wrong; nothing more is said about it. */
static tw_tree *new_told(tw_compiler *c, const tw_tree *at)
{
    tw_tree *t = tw_arena_alloc(c->arena, sizeof *t);
    *t = (tw_tree){.type = TW_TREE_OTHER, .spot = at->spot, .text = "told"};
    return t;
}

bool tw_compile_is_told(const tw_tree *v)
{
    return v && v->type == TW_TREE_OTHER && v->text;
}

/* P"name": the parameter's value, which keeps the place where it is used. */
static const tw_tree *param_value(tw_compiler *c, const tw_tree *p)
{
    size_t count;
    const tw_tree *value = NULL;

    if (p->item_count != 1 || p->items[0]->type != TW_TREE_STRING) {
        tw_compile_say(c, p, "P takes the name of a parameter: P\"name\"");
        return new_told(c, p);
    }
    value = tw_tree_get(c->params, p->items[0]->text);
    if (!value) {
        const char *const *names = param_names(c, &count);
        tw_compile_say(c, p, "the rule has no parameter '%s'%s", p->items[0]->text,
                       tw_compile_hint(c, p->items[0]->text, names, count));
        return new_told(c, p);
    }
    tw_tree *copy = tw_arena_alloc(c->arena, sizeof *copy);
    *copy = *value;
    copy->spot = p->spot;
    return copy;
}

/* An operator on two numbers is a number; on anything else it stays as it is. */
static const tw_tree *folded(tw_compiler *c, const tw_tree *v)
{
    double a, b;
    const tw_tree *left = tw_compile_value(c, v->items[0]), *right;

    if (tw_compile_is_told(left) || !tw_tree_number(left, &a))
        return tw_compile_is_told(left) ? left : v;
    if (strcmp(v->text, "negate") == 0)
        return new_number(c, v, -a);
    right = tw_compile_value(c, v->items[1]);
    if (tw_compile_is_told(right) || !tw_tree_number(right, &b))
        return tw_compile_is_told(right) ? right : v;
    switch (v->text[0]) {
    case '+':
        return new_number(c, v, a + b);
    case '-':
        return new_number(c, v, a - b);
    case '*':
        return new_number(c, v, a * b);
    default:
        return new_number(c, v, a / b);
    }
}

const tw_tree *tw_compile_value(tw_compiler *c, const tw_tree *v)
{
    if (tw_tree_is_word(v, "P"))
        return param_value(c, v);
    if (tw_tree_is_operator(v))
        return folded(c, v);
    return v;
}

bool tw_compile_scalar(const tw_tree *v, tw_value *out)
{
    switch (v->type) {
    case TW_TREE_NULL:
        *out = (tw_value){.type = TW_NULL};
        return true;
    case TW_TREE_BOOL:
        *out = tw_value_bool(v->b);
        return true;
    case TW_TREE_INT:
        *out = tw_value_int(v->i);
        return true;
    case TW_TREE_NUMBER:
        *out = tw_value_double(v->d);
        return !isnan(v->d);
    case TW_TREE_STRING:
        *out = tw_value_string(v->text, v->size);
        return true;
    case TW_TREE_NIL:
    case TW_TREE_FUNCTION:
    case TW_TREE_TABLE:
    case TW_TREE_WORD:
    case TW_TREE_OTHER:
        break;
    }
    return false;
}

bool tw_compile_duration(tw_compiler *c, const tw_tree *v, const char *what,
                         int64_t *out_ms)
{
    if (v->type != TW_TREE_STRING) {
        tw_compile_say(c, v, "%s is a duration like \"90s\" or \"5m\", not %s", what,
                       tw_tree_name(v));
        return false;
    }
    int rc = tw_duration_parse(v->text, v->size, out_ms);
    if (rc == TW_ELIMIT) {
        tw_compile_say(c, v, "%s: \"%.40s\" is longer than 36525d, a hundred years", what,
                       v->text);
        return false;
    }
    if (rc < 0) {
        tw_compile_say(
            c, v,
            "%s: \"%.40s\" is not a duration; write it like \"90s\", \"5m\" or "
            "\"2h30m\" (units ms s m h d w, largest first)",
            what, v->text);
        return false;
    }
    return true;
}

static json_t *table_json(const tw_tree *v)
{
    if (v->item_count > 0 && v->entry_count == 0) {
        json_t *list = json_array();
        for (uint32_t i = 0; i < v->item_count; i++)
            json_array_append_new(list, tw_compile_json(v->items[i]));
        return list;
    }
    json_t *object = json_object();
    for (uint32_t i = 0; i < v->entry_count; i++)
        json_object_set_new(object, v->entries[i].key,
                            tw_compile_json(v->entries[i].value));
    return object;
}

json_t *tw_compile_json(const tw_tree *v)
{
    switch (v->type) {
    case TW_TREE_NULL:
        return json_null();
    case TW_TREE_BOOL:
        return json_boolean(v->b);
    case TW_TREE_INT:
        return json_integer(v->i);
    case TW_TREE_NUMBER:
        return json_real(v->d);
    case TW_TREE_STRING:
        return json_stringn(v->text, v->size);
    case TW_TREE_TABLE:
        return table_json(v);
    case TW_TREE_NIL:
    case TW_TREE_FUNCTION:
    case TW_TREE_WORD:
    case TW_TREE_OTHER:
        break;
    }
    return NULL;
}
