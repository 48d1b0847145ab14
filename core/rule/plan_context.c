// SPDX-License-Identifier: Apache-2.0
/* `context { "changes", "alerts", of = "service", since = "30m" }` in `enrich`: what else happened to the same
 * thing, and the paths by which templates read it. */
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "flow/context.h"
#include "rule/compile.h"

#define DEFAULT_SINCE_MS INT64_C(3600000)

typedef struct context_options {
    const tw_tree *of;
    int64_t since_ms;
} context_options;

static const tw_option context_table[] = {
    {"of", TW_OPTION_ANY, offsetof(context_options, of), 0, 0, NULL},
    {"since", TW_OPTION_DURATION, offsetof(context_options, since_ms), 1, 0, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};

/* ---- what is asked for ------------------------------------------------------------- */

static void read_kind(tw_compiler *c, const tw_tree *at, tw_context_plan *plan)
{
    static const char *const kinds[] = {"changes", "alerts"};
    static const char *const later[] = {"metrics", "logs", "traces"};

    if (at->type != TW_TREE_STRING) {
        tw_compile_say(c, at, "context takes \"changes\" and \"alerts\", not %s",
                       tw_tree_name(at));
        return;
    }
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (strcmp(at->text, later[i]) == 0) {
            tw_compile_say(c, at, "'%s' of a context is not supported yet", later[i]);
            return;
        }
    }
    if (strcmp(at->text, "changes") == 0)
        plan->changes = true;
    else if (strcmp(at->text, "alerts") == 0)
        plan->alerts = true;
    else
        tw_compile_say(c, at,
                       "context takes \"changes\" and \"alerts\", not \"%.100s\"%s",
                       at->text, tw_compile_hint(c, at->text, kinds, 2));
}

/* ---- of what ----------------------------------------------------------------------- */

/* Nothing that a context needs is looked up, so it is part of no circle. */
static bool is_looked_up(const tw_template *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (t->parts[i].kind == TW_PART_ENRICH)
            return true;
    return false;
}

static void add_of(tw_compiler *c, const tw_tree *at, const char *name,
                   tw_context_plan *plan)
{
    char *text = tw_asprintf("${%s}", name);

    if (plan->of_count == TW_MAX_CONTEXT_FIELDS) {
        tw_compile_say(c, at, "a context may be of %d fields", TW_MAX_CONTEXT_FIELDS);
    } else {
        plan->of[plan->of_count] = tw_strdup(name);
        tw_template *value = &plan->values[plan->of_count++];
        if (tw_compile_template(c, at, text, value) && is_looked_up(value))
            tw_compile_say(c, at, "of names fields of events, and '%s' is a look-up",
                           name);
    }
    tw_free(text);
}

static void read_of(tw_compiler *c, const tw_tree *of, tw_context_plan *plan)
{
    const tw_tree *v = tw_compile_value(c, of);

    if (v->type == TW_TREE_STRING && v->size > 0) {
        add_of(c, of, v->text, plan);
        return;
    }
    if (v->type != TW_TREE_TABLE || v->entry_count > 0 || v->item_count == 0) {
        tw_compile_say(c, of, "of is a field or a list of them: of = \"service\", not %s",
                       tw_tree_name(v));
        return;
    }
    for (uint32_t i = 0; i < v->item_count; i++) {
        if (v->items[i]->type == TW_TREE_STRING && v->items[i]->size > 0)
            add_of(c, v->items[i], v->items[i]->text, plan);
        else
            tw_compile_say(c, v->items[i], "of lists names of fields, not %s",
                           tw_tree_name(v->items[i]));
    }
}

/* The rule's key unless it says otherwise. */
static void set_of(tw_compiler *c, const tw_tree *at, const tw_tree *of,
                   tw_context_plan *plan)
{
    plan->of = tw_calloc(TW_MAX_CONTEXT_FIELDS, sizeof *plan->of);
    plan->values = tw_calloc(TW_MAX_CONTEXT_FIELDS, sizeof *plan->values);
    if (of) {
        read_of(c, of, plan);
        return;
    }
    for (uint32_t i = 0; i < c->rule->key_count; i++)
        add_of(c, at, c->rule->key_names[i], plan);
    if (c->rule->key_count == 0)
        tw_compile_say(c, at,
                       "context needs of = \"field\": the rule has no key that could say "
                       "what it is about");
}

void tw_compile_context(tw_compiler *c, const tw_tree *word, tw_lookup *l)
{
    const tw_tree *table = word->item_count == 1 ? word->items[0] : word;
    context_options o = {.since_ms = DEFAULT_SINCE_MS};

    if (table->type != TW_TREE_TABLE || table->item_count == 0) {
        tw_compile_say(c, word,
                       "context says what it wants: context { \"changes\", \"alerts\", "
                       "since = \"30m\" }");
        return;
    }
    l->context = tw_alloc(sizeof *l->context);
    for (uint32_t i = 0; i < table->item_count; i++)
        read_kind(c, table->items[i], l->context);
    tw_options_read(c, table, "context", context_table, &o);
    l->context->since_ms = o.since_ms;
    c->lookup = l->name;
    set_of(c, word, o.of, l->context);
    c->lookup = NULL;
}

/* ---- paths ------------------------------------------------------------------------- */

static bool asks_for(const tw_tree *word, const char *kind, size_t n)
{
    const tw_tree *table = word->item_count == 1 ? word->items[0] : word;

    for (uint32_t i = 0; i < table->item_count; i++)
        if (table->items[i]->type == TW_TREE_STRING && table->items[i]->size == n &&
            memcmp(table->items[i]->text, kind, n) == 0)
            return true;
    return false;
}

int tw_compile_context_path(const tw_tree *word, const char *path, tw_err *err)
{
    const char *kind = strchr(path, '.');

    if (!tw_tree_is_word(word, "context") || !kind)
        return TW_OK;
    size_t n = strcspn(++kind, ".");
    if (!asks_for(word, kind, n))
        return tw_err_set(err, TW_ENOTFOUND,
                          "${%s}: the context does not ask for '%.*s'; it has what its "
                          "list names: context { \"changes\", \"alerts\" }",
                          path, (int)(n < 100 ? n : 100), kind);
    if (kind[n] == '\0')
        return TW_OK;
    const char *which = kind + n + 1;
    bool is_good = strcmp(which, "count") == 0 || strcmp(which, "first") == 0 ||
                   strcmp(which, "last") == 0 || strncmp(which, "first.", 6) == 0 ||
                   strncmp(which, "last.", 5) == 0;
    return is_good ? TW_OK
                   : tw_err_set(err, TW_EINVAL,
                                "${%s}: '%.*s' is a list; it has `count`, and entries "
                                "`first.` and `last.` with their fields",
                                path, (int)n, kind);
}
