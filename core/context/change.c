// SPDX-License-Identifier: Apache-2.0
/* See change.h. Borrows the event; what is kept of it is a line of text of bounded length. */
#include "context/change.h"

#include <string.h>

#include "base/mem.h"

#define MOST_VALUE_BYTES 160

static const char *const usual_entities[] = {
    "service", "app",   "component", "deployment", "job",        "host",
    "node",    "pod",   "container", "instance",   "namespace",  "cluster",
    "region",  "az",    "zone",      "rack",       "pool",       "node_pool",
    "queue",   "topic", "database",  "resource",   "resource_id"};

static const char *const usual_told[] = {
    "kind",    "type",  "action", "event", "status",  "result", "state",    "phase",
    "version", "from",  "to",     "old",   "new",     "amount", "replicas", "reason",
    "cause",   "key",   "name",   "flag",  "setting", "user",   "author",   "actor",
    "commit",  "build", "id",     "url",   "message"};

#define COUNT(list) (uint32_t)(sizeof(list) / sizeof *(list))

/* ---- fields ------------------------------------------------------------------------ */

static bool is_among(const tw_change_field *list, uint32_t count, uint32_t slot)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i].slot == slot)
            return true;
    return false;
}

static void add(tw_stream *stream, const char *path, tw_change_field *list,
                uint32_t *count, uint32_t most)
{
    tw_err err;
    int slot = tw_fields_slot(stream->fields, path, &err);
    tw_buf json;

    if (slot < TW_SLOT_FIRST_FIELD || *count == most ||
        is_among(list, *count, (uint32_t)slot))
        return;
    tw_change_field *f = &list[(*count)++];
    *f = (tw_change_field){.slot = (uint32_t)slot,
                           .name = tw_fields_at(stream->fields, (uint32_t)slot)->path};
    tw_buf_init(&json, TW_CONTEXT_TEXT_BYTES);
    tw_buf_add_char(&json, ',');
    tw_buf_add_json_string(&json, f->name, strlen(f->name));
    tw_buf_add_char(&json, ':');
    f->json = tw_buf_take(&json, &f->json_len);
}

tw_change_fields *tw_change_fields_new(tw_stream *stream, char *const *of,
                                       uint32_t of_count, const char *const *keys,
                                       uint32_t key_count)
{
    tw_change_fields *f = tw_alloc(sizeof *f);

    f->entities = tw_calloc(TW_CONTEXT_ENTITIES, sizeof *f->entities);
    f->told = tw_calloc(COUNT(usual_told), sizeof *f->told);
    for (uint32_t i = 0; i < of_count; i++)
        add(stream, of[i], f->entities, &f->entity_count, TW_CONTEXT_ENTITIES);
    for (uint32_t i = 0; !of && i < COUNT(usual_entities); i++)
        add(stream, usual_entities[i], f->entities, &f->entity_count,
            TW_CONTEXT_ENTITIES);
    for (uint32_t i = 0; !of && i < key_count; i++)
        add(stream, keys[i], f->entities, &f->entity_count, TW_CONTEXT_ENTITIES);
    for (uint32_t i = 0; i < COUNT(usual_told); i++) {
        int slot = tw_fields_slot(stream->fields, usual_told[i], NULL);
        if (slot >= 0 && is_among(f->entities, f->entity_count, (uint32_t)slot))
            continue;
        add(stream, usual_told[i], f->told, &f->told_count, COUNT(usual_told));
    }
    return f;
}

static void free_fields(tw_change_field *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        tw_free(list[i].json);
    tw_free(list);
}

void tw_change_fields_free(tw_change_fields *f)
{
    if (!f)
        return;
    free_fields(f->entities, f->entity_count);
    free_fields(f->told, f->told_count);
    tw_free(f);
}

/* ---- an event ---------------------------------------------------------------------- */

static bool is_on_one_line(tw_value v)
{
    for (uint32_t i = 0; i < v.len; i++)
        if ((unsigned char)v.s[i] < 0x20)
            return false;
    return true;
}

/* Cut before a character that does not fit as a whole. */
static tw_value shortened(tw_value v)
{
    if (v.type != TW_STRING || v.len <= MOST_VALUE_BYTES)
        return v;
    v.len = MOST_VALUE_BYTES;
    while (v.len > 0 && ((unsigned char)v.s[v.len] & 0xc0) == 0x80)
        v.len--;
    return v;
}

/* What does not fit any more is left out as a whole. */
static void add_told(const tw_change_field *f, tw_value v, tw_buf *out)
{
    size_t before = out->len;

    if (v.type == TW_ABSENT || v.type == TW_NULL ||
        (v.type == TW_JSON && (v.len > MOST_VALUE_BYTES || !is_on_one_line(v))))
        return;
    tw_buf_add(out, f->json, f->json_len);
    tw_value_write_json(shortened(v), out);
    if (out->failed) {
        out->len = before;
        out->failed = false;
    }
}

/* Values as text lie one behind the other in `texts`, which must not move: offsets until all are there. */
static uint32_t add_entities(const tw_change_fields *f, const tw_event *ev, tw_buf *texts,
                             size_t *starts, tw_entity *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->entity_count; i++) {
        tw_value v = tw_event_slot(ev, f->entities[i].slot);
        if (v.type == TW_ABSENT || v.type == TW_NULL || v.type == TW_JSON ||
            (v.type == TW_STRING && (v.len == 0 || v.len > TW_CONTEXT_VALUE_BYTES)))
            continue;
        starts[n] = texts->len;
        tw_value_write_text(v, texts);
        out[n] = (tw_entity){.name = f->entities[i].name,
                             .name_len = strlen(f->entities[i].name),
                             .value_len = texts->len - starts[n]};
        n++;
    }
    for (uint32_t i = 0; i < n; i++)
        out[i].value = texts->data + starts[i];
    return n;
}

void tw_change_note(tw_context *c, const tw_change_fields *f, const tw_event *ev)
{
    tw_entity entities[TW_CONTEXT_ENTITIES];
    size_t starts[TW_CONTEXT_ENTITIES];
    tw_buf texts, told;

    tw_buf_init(&texts, TW_CONTEXT_ENTITIES * (TW_CONTEXT_VALUE_BYTES + 64));
    uint32_t n = add_entities(f, ev, &texts, starts, entities);
    if (n > 0) {
        tw_buf_init(&told, TW_CONTEXT_TEXT_BYTES);
        for (uint32_t i = 0; i < f->told_count; i++)
            add_told(&f->told[i], tw_event_slot(ev, f->told[i].slot), &told);
        for (uint32_t i = 0; i < f->entity_count; i++)
            add_told(&f->entities[i], tw_event_slot(ev, f->entities[i].slot), &told);
        tw_context_entry entry = {
            .kind = TW_CONTEXT_CHANGES,
            .time_ms = ev->time_ms,
            .origin = {ev->stream, ev->partition, ev->offset, ev->index},
            .entities = entities,
            .entity_count = n,
            .text = told.data,
            .text_len = told.len};
        tw_context_note(c, &entry);
        tw_buf_done(&told);
    }
    tw_buf_done(&texts);
}
