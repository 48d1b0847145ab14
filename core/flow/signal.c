// SPDX-License-Identifier: Apache-2.0
/* Copies of signals. A copy is one block: the signal, then its arrays, then the text and
 * bytes they point to; beside it only the reference to the rule and a copy of the handler's
 * options. Any thread; a copy belongs to whoever made it and may cross to another thread. */
#include "flow/signal.h"

#include <string.h>

#include "base/mem.h"

/* Where the next part of the block goes. With base NULL it only measures. */
typedef struct writer {
    char *base;
    size_t used;
} writer;

static void *put(writer *w, const void *data, size_t bytes, size_t align)
{
    w->used = (w->used + align - 1) & ~(align - 1);
    char *place = w->base ? w->base + w->used : NULL;

    if (place && bytes > 0) {
        memcpy(place, data, bytes);
    }
    w->used += bytes;
    return place;
}

static bool has_text(tw_value v)
{
    return v.type == TW_STRING || v.type == TW_DECIMAL || v.type == TW_JSON;
}

static const tw_value *put_values(writer *w, const tw_value *values, uint32_t count)
{
    if (!values || count == 0) {
        return NULL;
    }
    tw_value *copy = put(w, values, count * sizeof *values, _Alignof(tw_value));
    for (uint32_t n = 0; n < count; n++) {
        if (has_text(values[n])) {
            const char *text = put(w, values[n].s, values[n].len, 1);
            if (copy) {
                copy[n].s = text;
            }
        }
    }
    return copy;
}

static void put_tops(writer *w, const tw_result *from, tw_result *to)
{
    if (!from->tops) {
        return;
    }
    tw_top *tops = put(w, from->tops, from->count * sizeof *tops, _Alignof(tw_top));
    to->tops = tops;
    for (uint32_t n = 0; n < from->count; n++) {
        const tw_top *list = &from->tops[n];
        if (!list->items) {
            continue;
        }
        tw_top_item *items =
            put(w, list->items, list->count * sizeof *items, _Alignof(tw_top_item));
        for (uint32_t i = 0; i < list->count; i++) {
            tw_value v = list->items[i].value;
            const char *text = has_text(v) ? put(w, v.s, v.len, 1) : NULL;
            if (items && text) {
                items[i].value.s = text;
            }
        }
        if (tops) {
            tops[n].items = items;
        }
    }
}

static void put_result(writer *w, const tw_result *from, tw_result *to)
{
    *to = *from;
    if (from->count == 0) {
        return;
    }
    size_t count = from->count;
    to->values = put(w, from->values, count * sizeof *from->values, _Alignof(double));
    const char **names = put(w, from->names, count * sizeof *names, _Alignof(char *));
    to->names = (const char *const *)names;
    to->has = put(w, from->has, count * sizeof *from->has, _Alignof(bool));
    for (size_t n = 0; n < count; n++) {
        const char *name = put(w, from->names[n], strlen(from->names[n]) + 1, 1);
        if (names) {
            names[n] = name;
        }
    }
    put_tops(w, from, to);
}

static const tw_role_found *put_roles(writer *w, const tw_signal *s)
{
    uint32_t kept = s->rule->kept_count;

    if (!s->roles || s->rule->role_count == 0) {
        return NULL;
    }
    tw_role_found *copy =
        put(w, s->roles, s->rule->role_count * sizeof *s->roles, _Alignof(tw_role_found));
    for (uint32_t n = 0; n < s->rule->role_count; n++) {
        const tw_value *first = put_values(w, s->roles[n].first, kept);
        const tw_value *last = s->roles[n].last == s->roles[n].first
                                   ? first
                                   : put_values(w, s->roles[n].last, kept);
        if (copy) {
            copy[n].first = first;
            copy[n].last = last;
        }
    }
    return copy;
}

static void put_signal(writer *w, const tw_signal *s)
{
    tw_signal scratch = *s;
    tw_signal *copy = put(w, s, sizeof *s, _Alignof(tw_signal));

    copy = copy ? copy : &scratch;
    put_result(w, &s->result, &copy->result);
    copy->fields = put_values(w, s->fields, s->rule->carried_count);
    copy->first_fields = put_values(w, s->first_fields, s->rule->carried_first_count);
    copy->facts = put_values(w, s->facts, s->rule->fact_count);
    copy->roles = put_roles(w, s);
    if (s->evidence) {
        copy->evidence = put(w, s->evidence, s->evidence_count * sizeof *s->evidence,
                             _Alignof(tw_evidence));
    }
    copy->key.data = put(w, s->key.data, s->key.len, 1);
    if (s->reason) {
        copy->reason = put(w, s->reason, strlen(s->reason) + 1, 1);
    }
}

tw_signal *tw_signal_copy(const tw_signal *s)
{
    writer w = {0};

    put_signal(&w, s);
    w = (writer){.base = tw_alloc(w.used)};
    put_signal(&w, s);

    tw_signal *copy = (tw_signal *)w.base;
    copy->rule = tw_rule_ref(s->rule);
    copy->event = NULL;
    copy->fire = s->fire ? json_deep_copy(s->fire) : NULL;
    return copy;
}

void tw_signal_free(tw_signal *s)
{
    if (s) {
        tw_rule_unref(s->rule);
        json_decref(s->fire);
        tw_free(s);
    }
}
