// SPDX-License-Identifier: Apache-2.0
/* What a rule is called, and was called before. Its name is the identity of its state, so a rule that gets
 * another one says which it had. Shore only. */
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "rule/compile.h"
#include "rule/rule_files.h"

#define MAX_WAS 16

static bool is_name_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
           (ch >= '0' && ch <= '9') || ch == '_' || ch == '-' || ch == '.';
}

bool tw_compile_is_rule_name(const tw_tree *v)
{
    size_t slashes = 0;
    if (v->size == 0 || v->size > TW_MAX_RULE_NAME || strlen(v->text) != v->size)
        return false;
    for (size_t i = 0; i < v->size; i++) {
        if (v->text[i] == '/')
            slashes++;
        else if (!is_name_char(v->text[i]))
            return false;
    }
    return slashes == 1 && v->text[0] != '/' && v->text[v->size - 1] != '/';
}

/* ---- was --------------------------------------------------------------------------- */

static void add_was(tw_compiler *c, const tw_tree *written)
{
    const tw_tree *v = tw_compile_value(c, written);
    tw_rule *r = c->rule;

    if (v->type != TW_TREE_STRING || !tw_compile_is_rule_name(v))
        tw_compile_say(c, written, "was is the name that the rule had: \"team/name\"");
    else if (strcmp(v->text, r->name) == 0)
        tw_compile_say(c, written,
                       "was names the rule itself; it takes the name it had before");
    else if (tw_rule_was(r, v->text))
        tw_compile_say(c, written, "was names '%s' twice", v->text);
    else
        r->was[r->was_count++] = tw_strdup(v->text);
}

void tw_compile_was(tw_compiler *c, const tw_tree *was)
{
    bool is_list = was->type == TW_TREE_TABLE;
    uint32_t count = is_list ? was->item_count : 1;

    if (is_list && (count == 0 || count > MAX_WAS || was->entry_count > 0)) {
        tw_compile_say(c, was, "was is a name or a list of at most %d names", MAX_WAS);
        return;
    }
    c->rule->was = tw_calloc(count, sizeof *c->rule->was);
    tw_compile_place(c, was, &c->rule->was_line, &c->rule->was_column);
    for (uint32_t i = 0; i < count; i++)
        add_was(c, is_list ? was->items[i] : was);
}

/* ---- park -------------------------------------------------------------------------- */

void tw_compile_park(tw_compiler *c, const tw_tree *park)
{
    const tw_tree *v = tw_compile_value(c, park);

    if (v->type == TW_TREE_BOOL && !v->b)
        c->rule->park_ms = 0;
    else
        tw_compile_duration(c, park, "park", &c->rule->park_ms);
}

/* Matches keep all that it may be shown. */
void tw_compile_migrate(tw_compiler *c, int fn)
{
    if (c->rule->detector == TW_DETECT_SEQ)
        c->rule->migrate_fn = fn;
    else
        tw_compile_say(c, tw_tree_get(c->body, "migrate"),
                       "migrate moves the open matches of a seq; this rule has none");
}

/* ---- the set ----------------------------------------------------------------------- */

static void say(const tw_rule *r, tw_findings *findings, const char *name,
                const tw_rule *other, const char *what)
{
    tw_err err;

    tw_err_at(&err, TW_EINVAL, r->file, r->was_line, r->was_column,
              "was: %s '%s' (%s:%d); %s", what, name, other->file, other->line,
              strcmp(other->name, name) == 0 ? "take that one away, or leave `was` out"
                                             : "what it remembers goes to one rule only");
    tw_findings_add(findings, &err, false);
}

void tw_rules_check_was(const tw_rule_files *set, tw_findings *findings)
{
    tw_map *names = tw_map_new(NULL), *heirs = tw_map_new(NULL);

    for (uint32_t i = 0; i < set->rule_count; i++)
        tw_map_put(names, set->rules[i]->name, set->rules[i]);
    for (uint32_t i = 0; i < set->rule_count; i++) {
        tw_rule *r = set->rules[i];
        for (uint32_t k = 0; k < r->was_count; k++) {
            const tw_rule *there = tw_map_get(names, r->was[k]);
            const tw_rule *heir = tw_map_get(heirs, r->was[k]);
            if (there)
                say(r, findings, r->was[k], there, "there still is a rule");
            else if (heir)
                say(r, findings, r->was[k], heir, "another rule, too, says that it was");
            else
                tw_map_put(heirs, r->was[k], r);
        }
    }
    tw_map_free(names);
    tw_map_free(heirs);
}
