// SPDX-License-Identifier: Apache-2.0
/* See signal_state.h. What is read is put together of borrowed parts and then copied into one block. */
#include "signal_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ARENA_BLOCK 1024

/* ---- out --------------------------------------------------------------------------- */

static void put_text(tw_buf *out, const char *text)
{
    tw_state_put_bytes(out, text, strlen(text));
}

/* No values: an empty row. */
static void put_row(tw_buf *out, char *const *names, const tw_value *values,
                    uint32_t count)
{
    tw_state_put_u64(out, values ? count : 0);
    for (uint32_t i = 0; values && i < count; i++) {
        put_text(out, names[i]);
        tw_state_put_value(out, values[i]);
    }
}

static void put_key(const tw_signal *s, tw_buf *out)
{
    tw_state_put_u64(out, s->rule->key_count);
    for (uint32_t i = 0; i < s->rule->key_count; i++)
        put_text(out, s->rule->key_names[i]);
    tw_state_put_bytes(out, s->key.data, s->key.len);
}

static void put_top(const tw_top *top, tw_buf *out)
{
    uint32_t count = top->items ? top->count : 0;

    tw_state_put_u64(out, count);
    for (uint32_t i = 0; i < count; i++) {
        tw_state_put_value(out, top->items[i].value);
        tw_state_put_double(out, top->items[i].count);
    }
}

static void put_result(const tw_result *r, tw_buf *out)
{
    tw_state_put_u64(out, r->count);
    tw_state_put_u64(out, r->tops != NULL);
    for (uint32_t i = 0; i < r->count; i++) {
        put_text(out, r->names[i]);
        tw_state_put_u64(out, r->has[i]);
        tw_state_put_double(out, r->values[i]);
        if (r->tops)
            put_top(&r->tops[i], out);
    }
}

static void put_roles(const tw_signal *s, tw_buf *out)
{
    const tw_rule *rule = s->rule;
    uint32_t count = s->roles ? rule->role_count : 0;

    tw_state_put_u64(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const tw_role_found *r = &s->roles[i];
        put_text(out, rule->roles[i].name);
        tw_state_put_u64(out, r->count);
        tw_state_put_i64(out, r->first_ms);
        tw_state_put_i64(out, r->last_ms);
        put_row(out, rule->kept, r->first, rule->kept_count);
        put_row(out, rule->kept, r->last, rule->kept_count);
    }
}

static void put_evidence(const tw_signal *s, tw_buf *out)
{
    uint32_t count = s->evidence ? s->evidence_count : 0;

    tw_state_put_u64(out, count);
    for (uint32_t i = 0; i < count; i++) {
        tw_state_put_origin(out, &s->evidence[i].origin);
        tw_state_put_i64(out, s->evidence[i].time_ms);
    }
}

static void put_options(const json_t *fire, tw_buf *out)
{
    char *text = fire ? json_dumps(fire, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    put_text(out, text ? text : "");
    free(text); /* jansson's own allocator */
}

void tw_signal_save(const tw_signal *s, tw_buf *out)
{
    const tw_rule *rule = s->rule;

    put_text(out, rule->name);
    put_key(s, out);
    tw_state_put_u64(out, s->kind);
    tw_state_put_u64(out, s->from);
    tw_state_put_u64(out, s->level);
    tw_state_put_i64(out, s->at_ms);
    tw_state_put_u64(out, s->seq);
    tw_state_put_origin(out, &s->newest);
    tw_state_put_i64(out, s->newest_ms);
    tw_state_put_i64(out, s->start_ms);
    tw_state_put_i64(out, s->stop_ms);
    tw_state_put_i64(out, s->warming_until_ms);
    tw_state_put_u64(out, s->unsure);
    tw_state_put_u64(out, s->by_event);
    tw_state_put_u64(out, s->approx);
    tw_state_put_u64(out, s->reason != NULL);
    put_text(out, s->reason ? s->reason : "");
    put_options(s->fire, out);
    put_result(&s->result, out);
    put_row(out, rule->carried, s->fields, rule->carried_count);
    put_row(out, rule->carried_first, s->first_fields, rule->carried_first_count);
    put_row(out, rule->facts, s->facts, rule->fact_count);
    put_roles(s, out);
    put_evidence(s, out);
}

/* ---- in ---------------------------------------------------------------------------- */

typedef struct reading {
    tw_state_in *in;
    tw_arena parts;
    tw_signal s; /* rule NULL: nobody wants it, and it is read for what comes behind */
} reading;

static void *part(reading *r, size_t count, size_t size)
{
    void *p = tw_arena_alloc(&r->parts, (count + 1) * size);

    memset(p, 0, (count + 1) * size);
    return p;
}

static bool take_text(reading *r, const char **out)
{
    const void *text;
    size_t size;

    if (!tw_state_take_bytes(r->in, &text, &size))
        return false;
    *out = tw_arena_strndup(&r->parts, text, size);
    return true;
}

static bool take_bool(reading *r, bool *out)
{
    uint64_t v = 0;
    bool good = tw_state_take_u64(r->in, &v) && v <= 1;

    *out = v == 1;
    return good;
}

/* As many as there are bytes left at most, since each takes one. */
static bool take_count(reading *r, uint32_t *out)
{
    return tw_state_take_u32(r->in, out) && *out <= (size_t)(r->in->end - r->in->at);
}

static bool take_row(reading *r, char *const *names, uint32_t count, const tw_value **out)
{
    uint32_t saved;

    *out = NULL;
    if (!take_count(r, &saved))
        return false;
    tw_value *values = part(r, count, sizeof *values);
    for (uint32_t i = 0; i < saved; i++) {
        const char *name;
        tw_value v;
        if (!take_text(r, &name) || !tw_state_take_value(r->in, &v))
            return false;
        for (uint32_t k = 0; k < count; k++)
            if (strcmp(names[k], name) == 0)
                values[k] = v;
    }
    *out = saved > 0 ? values : NULL;
    return true;
}

static bool take_key(reading *r)
{
    uint32_t count;
    const void *bytes;
    size_t size;
    bool same;

    if (!take_count(r, &count))
        return false;
    same = r->s.rule && r->s.rule->key_count == count;
    for (uint32_t i = 0; i < count; i++) {
        const char *name;
        if (!take_text(r, &name))
            return false;
        same = same && strcmp(r->s.rule->key_names[i], name) == 0;
    }
    if (!tw_state_take_bytes(r->in, &bytes, &size) || size > TW_MAX_KEY_BYTES)
        return false;
    r->s.key = tw_key_from_bytes(bytes, (uint32_t)size);
    if (!same)
        r->s.rule = NULL;
    return true;
}

static bool take_kind(reading *r)
{
    uint64_t kind, from, level;

    if (!tw_state_take_u64(r->in, &kind) || kind > TW_SIGNAL_NEWS ||
        !tw_state_take_u64(r->in, &from) || from > TW_LEVEL_UNKNOWN ||
        !tw_state_take_u64(r->in, &level) || level > TW_LEVEL_UNKNOWN)
        return false;
    r->s.kind = (tw_signal_kind)kind;
    r->s.from = (tw_level)from;
    r->s.level = (tw_level)level;
    return true;
}

static bool take_times(reading *r)
{
    tw_signal *s = &r->s;

    return tw_state_take_i64(r->in, &s->at_ms) && tw_state_take_u64(r->in, &s->seq) &&
           tw_state_take_origin(r->in, &s->newest) &&
           tw_state_take_i64(r->in, &s->newest_ms) &&
           tw_state_take_i64(r->in, &s->start_ms) &&
           tw_state_take_i64(r->in, &s->stop_ms) &&
           tw_state_take_i64(r->in, &s->warming_until_ms);
}

static bool take_words(reading *r)
{
    bool has_reason;
    const char *reason, *options;
    tw_signal *s = &r->s;

    if (!take_bool(r, &s->unsure) || !take_bool(r, &s->by_event) ||
        !take_bool(r, &s->approx) || !take_bool(r, &has_reason) ||
        !take_text(r, &reason) || !take_text(r, &options))
        return false;
    s->reason = has_reason ? reason : NULL;
    s->fire =
        *options ? json_loads(options, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
    return !*options || s->fire;
}

static bool take_top(reading *r, tw_top *out)
{
    if (!take_count(r, &out->count))
        return false;
    tw_top_item *items = part(r, out->count, sizeof *items);
    for (uint32_t i = 0; i < out->count; i++)
        if (!tw_state_take_value(r->in, &items[i].value) ||
            !tw_state_take_double(r->in, &items[i].count))
            return false;
    out->items = out->count > 0 ? items : NULL;
    return true;
}

static bool take_result(reading *r)
{
    uint32_t count;
    bool has_tops;

    if (!take_count(r, &count) || !take_bool(r, &has_tops))
        return false;
    const char **names = part(r, count, sizeof *names);
    double *values = part(r, count, sizeof *values);
    bool *has = part(r, count, sizeof *has);
    tw_top *tops = part(r, count, sizeof *tops);
    for (uint32_t i = 0; i < count; i++)
        if (!take_text(r, &names[i]) || !take_bool(r, &has[i]) ||
            !tw_state_take_double(r->in, &values[i]) ||
            (has_tops && !take_top(r, &tops[i])))
            return false;
    if (count > 0)
        r->s.result = (tw_result){.names = names,
                                  .values = values,
                                  .has = has,
                                  .count = count,
                                  .tops = has_tops ? tops : NULL};
    return true;
}

static bool take_role(reading *r, const tw_rule *rule, tw_role_found *roles)
{
    tw_role_found found;
    const char *name;

    if (!take_text(r, &name) || !tw_state_take_u32(r->in, &found.count) ||
        !tw_state_take_i64(r->in, &found.first_ms) ||
        !tw_state_take_i64(r->in, &found.last_ms) ||
        !take_row(r, rule->kept, rule->kept_count, &found.first) ||
        !take_row(r, rule->kept, rule->kept_count, &found.last))
        return false;
    if (found.count > 0 && !found.first)
        found.first = part(r, rule->kept_count, sizeof *found.first);
    if (found.count > 0 && !found.last)
        found.last = found.first;
    for (uint32_t i = 0; i < rule->role_count; i++)
        if (strcmp(rule->roles[i].name, name) == 0)
            roles[i] = found;
    return true;
}

static bool take_roles(reading *r, const tw_rule *rule)
{
    uint32_t saved;

    if (!take_count(r, &saved))
        return false;
    tw_role_found *roles = part(r, rule->role_count, sizeof *roles);
    for (uint32_t i = 0; i < saved; i++)
        if (!take_role(r, rule, roles))
            return false;
    r->s.roles = saved > 0 ? roles : NULL;
    return true;
}

static bool take_evidence(reading *r)
{
    if (!take_count(r, &r->s.evidence_count))
        return false;
    tw_evidence *list = part(r, r->s.evidence_count, sizeof *list);
    for (uint32_t i = 0; i < r->s.evidence_count; i++)
        if (!tw_state_take_origin(r->in, &list[i].origin) ||
            !tw_state_take_i64(r->in, &list[i].time_ms))
            return false;
    r->s.evidence = r->s.evidence_count > 0 ? list : NULL;
    return true;
}

static bool take_found(reading *r)
{
    static const tw_rule nothing;
    const tw_rule *rule = r->s.rule ? r->s.rule : &nothing;
    tw_signal *s = &r->s;

    return take_result(r) &&
           take_row(r, rule->carried, rule->carried_count, &s->fields) &&
           take_row(r, rule->carried_first, rule->carried_first_count,
                    &s->first_fields) &&
           take_row(r, rule->facts, rule->fact_count, &s->facts) && take_roles(r, rule) &&
           take_evidence(r);
}

static tw_rule *find_rule(tw_rule_finder find, const char *name)
{
    tw_rule *rule = find.rule ? find.rule(find.self, name) : NULL;

    return rule || !find.heir ? rule : find.heir(find.self, name);
}

bool tw_signal_load(tw_state_in *in, tw_rule_finder find, tw_signal **out)
{
    reading r = {.in = in};
    const char *name;

    *out = NULL;
    tw_arena_init(&r.parts, ARENA_BLOCK);
    bool good = take_text(&r, &name);
    if (good)
        r.s.rule = find_rule(find, name);
    good = good && take_key(&r) && take_kind(&r) && take_times(&r) && take_words(&r) &&
           take_found(&r);
    if (good && r.s.rule)
        *out = tw_signal_copy(&r.s);
    json_decref(r.s.fire);
    tw_arena_done(&r.parts);
    return good;
}
