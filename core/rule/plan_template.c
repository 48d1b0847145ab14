// SPDX-License-Identifier: Apache-2.0
/* The templates of a rule. What a `${path}` means is settled here, in this order: what the detector found
 * (values, facts, roles), the key, look-ups, `first.` fields, `params.`, and last a field of the
 * newest event, which the rule then carries along. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rule/compile.h"

static bool is_result(const tw_rule *r, const char *path)
{
    static const char *const always[] = {"level", "from",  "start",
                                         "stop",  "count", "warming_until"};

    for (uint32_t i = 0; i < r->level.value_count; i++) {
        const char *name = r->level.value_names[i];
        size_t n = strlen(name);
        if (strcmp(name, path) == 0 || (tw_level_list(&r->level, i) &&
                                        strncmp(name, path, n) == 0 && path[n] == '['))
            return true;
    }
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        if (strcmp(always[i], path) == 0)
            return true;
    return false;
}

static uint32_t carry(char ***names, uint32_t *count, const char *path)
{
    for (uint32_t i = 0; i < *count; i++)
        if (strcmp((*names)[i], path) == 0)
            return i;
    *names = tw_realloc(*names, (*count + 1) * sizeof **names);
    (*names)[*count] = tw_strdup(path);
    return (*count)++;
}

/* The look-up a path begins with; false when it begins with none. */
static bool is_enrich(const tw_compiler *c, const char *path, char *out_name, size_t size)
{
    snprintf(out_name, size, "%.*s", (int)strcspn(path, ".["), path);
    return tw_tree_get(tw_tree_get(c->body, "enrich"), out_name) != NULL;
}

static int param_text(tw_compiler *c, const char *name, tw_part *out, tw_err *err)
{
    tw_value v;
    tw_buf text;
    const tw_tree *param = tw_tree_get(c->params, name);

    if (!param || !tw_compile_scalar(param, &v))
        return tw_err_set(err, TW_ENOTFOUND, "the rule has no parameter '%s'", name);
    tw_buf_init(&text, TW_TREE_BYTES);
    tw_value_write_text(v, &text);
    out->kind = TW_PART_LITERAL;
    out->text = tw_buf_take(&text, NULL);
    return TW_OK;
}

/* ---- roles and facts --------------------------------------------------------------- */

int tw_compile_kept(tw_compiler *c, const char *path, tw_err *err)
{
    tw_rule *r = c->rule;
    uint32_t before = r->kept_count;
    uint32_t at = carry(&r->kept, &r->kept_count, path);

    if (at < TW_MAX_KEPT)
        return (int)at;
    tw_free(r->kept[before]);
    r->kept_count = before;
    return tw_err_set(err, TW_ELIMIT,
                      "more than %d fields are kept of each event: what templates and "
                      "functions read of events that wait",
                      TW_MAX_KEPT);
}

/* "d.version", "errors.last.code", "errors.count", "left.@time": behind the role's name. */
static int classify_in_role(tw_compiler *c, uint32_t role, const char *path, tw_part *out,
                            tw_err *err)
{
    bool is_list = c->rule->roles[role].is_list;

    *out = (tw_part){.kind = TW_PART_ROLE, .role = role};
    if (is_list && strcmp(path, "count") == 0) {
        out->kind = TW_PART_ROLE_COUNT;
        return TW_OK;
    }
    if (is_list && (strncmp(path, "first.", 6) == 0 || strncmp(path, "last.", 5) == 0)) {
        out->first = path[0] == 'f';
        path = strchr(path, '.') + 1;
    }
    if (strcmp(path, "@time") == 0) {
        out->kind = TW_PART_ROLE_TIME;
        return TW_OK;
    }
    if (tw_compile_some_field(c, c->rule->roles[role].inputs, path, err) < 0)
        return TW_ENOTFOUND;
    int at = tw_compile_kept(c, path, err);
    out->index = (uint32_t)at;
    return at < 0 ? at : TW_OK;
}

/* False: the path names neither. */
static bool classify_found(tw_compiler *c, const char *path, tw_part *out, tw_err *err,
                           int *out_rc)
{
    const tw_rule *r = c->rule;
    size_t n = strcspn(path, ".");

    *out_rc = TW_OK;
    for (uint32_t i = 0; i < r->fact_count; i++) {
        if (strcmp(r->facts[i], path) == 0) {
            *out = (tw_part){.kind = TW_PART_FACT, .index = i};
            return true;
        }
    }
    for (uint32_t i = 0; i < r->role_count; i++) {
        const char *name = r->roles[i].name;
        if (strlen(name) != n || memcmp(name, path, n) != 0)
            continue;
        *out_rc = path[n] == '.' ? classify_in_role(c, i, path + n + 1, out, err)
                                 : tw_err_set(err, TW_EINVAL,
                                              "${%s} is an event; name a field of it: "
                                              "${%s.field}",
                                              path, path);
        return true;
    }
    return false;
}

static int classify(void *self, const char *path, tw_part *out, tw_err *err)
{
    tw_compiler *c = self;
    tw_rule *r = c->rule;
    char name[128];
    int rc;

    if (classify_found(c, path, out, err, &rc))
        return rc;
    if (is_result(r, path)) {
        *out = (tw_part){.kind = TW_PART_RESULT, .text = tw_strdup(path)};
        return TW_OK;
    }
    for (uint32_t i = 0; i < r->key_count; i++) {
        if (strcmp(r->key_names[i], path) == 0) {
            *out = (tw_part){.kind = TW_PART_KEY, .index = i};
            return TW_OK;
        }
    }
    if (is_enrich(c, path, name, sizeof name)) {
        const tw_tree *word = tw_tree_get(tw_tree_get(c->body, "enrich"), name);
        rc = tw_compile_context_path(word, path, err);
        if (rc < 0)
            return rc;
        /* In a key the look-up's own name, and another's alone, are fields of the event. */
        if (!c->lookup || (strcmp(name, c->lookup) != 0 && strcmp(name, path) != 0)) {
            rc = c->lookup ? TW_OK : tw_compile_looked_up(c, path, err);
            if (rc == TW_OK)
                *out = (tw_part){.kind = TW_PART_ENRICH, .text = tw_strdup(path)};
            return rc;
        }
    }
    if (strncmp(path, "params.", 7) == 0)
        return param_text(c, path + 7, out, err);
    bool first = strncmp(path, "first.", 6) == 0;
    rc = tw_compile_some_field(c, 0, first ? path + 6 : path, err);
    if (rc < 0)
        return rc;
    if (first)
        *out = (tw_part){.kind = TW_PART_FIRST,
                         .index =
                             carry(&r->carried_first, &r->carried_first_count, path + 6)};
    else
        *out = (tw_part){.kind = TW_PART_FIELD,
                         .index = carry(&r->carried, &r->carried_count, path)};
    return TW_OK;
}

bool tw_compile_template(tw_compiler *c, const tw_tree *at, const char *text,
                         tw_template *out)
{
    tw_template_names names = {classify, c};
    tw_err err;

    if (tw_template_compile(out, text, &names, &err) == TW_OK)
        return true;
    tw_compile_say(c, at, "%s", err.text);
    return false;
}

static uint32_t *slots_of(tw_compiler *c, char *const *names, uint32_t count)
{
    const tw_rule *r = c->rule;
    uint32_t *slots = tw_calloc((size_t)r->input_count * count + 1, sizeof *slots);

    for (uint32_t i = 0; i < r->input_count; i++)
        for (uint32_t k = 0; k < count && r->inputs[i].stream; k++)
            tw_compile_slot(c, c->body, r->inputs[i].stream, names[k],
                            &slots[i * count + k]);
    return slots;
}

/* Where each carried field is among the kept ones. */
static uint32_t *places_of(tw_compiler *c, char *const *names, uint32_t count)
{
    uint32_t *places = tw_calloc(count + 1, sizeof *places);
    tw_err err;

    for (uint32_t i = 0; i < count; i++) {
        int at = tw_compile_kept(c, names[i], &err);
        if (at < 0)
            tw_compile_say(c, c->body, "%s", err.text);
        else
            places[i] = (uint32_t)at;
    }
    return places;
}

static bool is_role(const tw_rule *r, const char *name)
{
    for (uint32_t i = 0; i < r->role_count; i++)
        if (strcmp(r->roles[i].name, name) == 0)
            return true;
    return false;
}

/* What functions read of an event that is kept cannot be told from what they read of one that came
 * just now, so the fields of both are kept. */
static void keep_for_functions(tw_compiler *c)
{
    uint32_t count = 0;
    char **names = tw_locate_members(&c->source->tokens, &count);
    tw_err err;
    bool said = false;

    for (uint32_t i = 0; i < count; i++) {
        if (!said && !is_role(c->rule, names[i]) && names[i][0] != '@' &&
            tw_compile_kept(c, names[i], &err) < 0) {
            tw_compile_say(c, c->body, "%s", err.text);
            said = true;
        }
        tw_free(names[i]);
    }
    tw_free(names);
}

void tw_compile_carried(tw_compiler *c)
{
    tw_rule *r = c->rule;

    r->carried_slots = slots_of(c, r->carried, r->carried_count);
    r->carried_first_slots = slots_of(c, r->carried_first, r->carried_first_count);
    if (!c->keeps)
        return;
    if (c->keeps_for_functions)
        keep_for_functions(c);
    r->carried_kept = places_of(c, r->carried, r->carried_count);
    r->carried_first_kept = places_of(c, r->carried_first, r->carried_first_count);
    r->kept_slots = slots_of(c, r->kept, r->kept_count);
}
