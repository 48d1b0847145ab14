// SPDX-License-Identifier: Apache-2.0
/* Reading what is remembered, and noting alerts. Any thread; the lock is held while entries are found and their
 * text is copied, JSON is made afterwards. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "context/context_impl.h"

#define MOST_FOUND 256
#define MAX_ALL_BYTES (1u << 20)

typedef struct found {
    const tw_kept_entry *items[MOST_FOUND];
    uint32_t count;
} found;

/* Of a field that both name the value must be the same: a change of another service in the same region is none of
 * this one. */
static bool contradicts(const tw_kept_entry *e, const tw_context_query *q)
{
    tw_entity has;

    for (uint32_t at = 0; tw_kept_entry_next(e, &at, &has);) {
        for (uint32_t i = 0; i < q->entity_count; i++) {
            const tw_entity *asked = &q->entities[i];
            if (asked->name_len == has.name_len &&
                memcmp(asked->name, has.name, has.name_len) == 0 &&
                (asked->value_len != has.value_len ||
                 memcmp(asked->value, has.value, has.value_len) != 0))
                return true;
        }
    }
    return false;
}

/* Alerts begin with their rule: `,"rule":"a/b","incident"...`. */
static bool is_of_rule(const tw_kept_entry *e, const char *rule)
{
    tw_buf head;
    bool same;

    if (!rule || e->kind != TW_CONTEXT_ALERTS)
        return false;
    tw_buf_init(&head, TW_CONTEXT_TEXT_BYTES);
    tw_buf_add_str(&head, ",\"rule\":");
    tw_buf_add_json_string(&head, rule, strlen(rule));
    tw_buf_add_char(&head, ',');
    same = e->text_len >= head.len &&
           memcmp(e->bytes + e->pair_len, head.data, head.len) == 0;
    tw_buf_done(&head);
    return same;
}

static bool is_found(const found *f, const tw_kept_entry *e)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (f->items[i] == e)
            return true;
    return false;
}

static void find(const tw_kept_list *l, const tw_context_query *q, found *f)
{
    for (uint32_t i = l->count; i-- > 0 && f->count < MOST_FOUND;) {
        const tw_kept_entry *e = l->items[i];
        if (e->time_ms > q->to_ms)
            continue;
        if (e->time_ms <= q->from_ms)
            break;
        if (!contradicts(e, q) && !is_of_rule(e, q->not_rule) && !is_found(f, e))
            f->items[f->count++] = e;
    }
}

static int compare(const void *a, const void *b)
{
    return tw_kept_entry_compare(*(const tw_kept_entry *const *)a,
                                 *(const tw_kept_entry *const *)b);
}

static void write_entry(const tw_context *c, const tw_kept_entry *e, tw_buf *out)
{
    const tw_stream *stream = tw_streams_at(c->streams, e->origin.stream);

    tw_buf_printf(out, "{\"time\":%lld", (long long)e->time_ms);
    if (e->kind == TW_CONTEXT_CHANGES) {
        tw_buf_add_str(out, ",\"stream\":");
        tw_buf_add_json_string(out, stream ? stream->name : "",
                               stream ? strlen(stream->name) : 0);
        tw_buf_printf(out, ",\"partition\":%d,\"offset\":%lld", (int)e->origin.partition,
                      (long long)e->origin.offset);
    }
    tw_buf_add(out, e->bytes + e->pair_len, e->text_len);
    tw_buf_add_char(out, '}');
}

static void write_list(tw_context *c, const tw_context_query *q, tw_buf *out)
{
    char name[TW_CONTEXT_NAME_BYTES];
    found f = {.count = 0};

    for (uint32_t i = 0; i < q->entity_count; i++) {
        size_t n = tw_entity_name(&q->entities[i], name);
        const tw_kept_entity *x =
            n ? tw_map_get_n(c->kinds[q->kind].entities, name, n) : NULL;
        if (x)
            find(&x->list, q, &f);
    }
    if (f.count > 1)
        qsort(f.items, f.count, sizeof *f.items, compare);
    tw_buf_add_char(out, '[');
    for (uint32_t i = f.count > q->most ? f.count - q->most : 0, n = 0; i < f.count;
         i++, n++) {
        if (n > 0)
            tw_buf_add_char(out, ',');
        write_entry(c, f.items[i], out);
    }
    tw_buf_add_char(out, ']');
}

json_t *tw_context_read(void *self, const tw_context_query *q)
{
    tw_context *c = self;
    tw_buf out;

    tw_buf_init(&out, MAX_ALL_BYTES);
    pthread_mutex_lock(&c->lock);
    write_list(c, q, &out);
    pthread_mutex_unlock(&c->lock);
    bool is_empty = out.len == strlen("[]"); /* as for most: nothing changed */
    json_t *list = is_empty ? NULL : json_loadb(out.data, out.len, JSON_ALLOW_NUL, NULL);
    tw_buf_done(&out);
    return list ? list : json_array();
}

/* ---- alerts ------------------------------------------------------------------------ */

static void add_member(tw_buf *out, const char *name, const char *value, size_t most)
{
    size_t n = value ? strlen(value) : 0;

    if (n == 0)
        return;
    if (n > most) /* not in the middle of a character */
        for (n = most; n > 0 && ((unsigned char)value[n] & 0xc0) == 0x80;)
            n--;
    tw_buf_add_str(out, ",\"");
    tw_buf_add_str(out, name);
    tw_buf_add_str(out, "\":");
    tw_buf_add_json_string(out, value, n);
}

void tw_context_note_alert(void *self, const tw_context_alert *a)
{
    tw_buf text;

    tw_buf_init(&text, TW_CONTEXT_TEXT_BYTES);
    add_member(&text, "rule", a->rule, 200);
    add_member(&text, "incident", a->incident, 200);
    add_member(&text, "status", a->status, 40);
    add_member(&text, "level", a->level, 40);
    size_t len = text.len;
    add_member(&text, "title", a->title, 200);
    tw_context_entry entry = {.kind = TW_CONTEXT_ALERTS,
                              .time_ms = a->at_ms,
                              .entities = a->entities,
                              .entity_count = a->entity_count,
                              .text = text.data,
                              .text_len = text.failed ? len : text.len};
    tw_context_note(self, &entry);
    tw_buf_done(&text);
}
