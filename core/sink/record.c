// SPDX-License-Identifier: Apache-2.0
/* Builds what outboxes hold. All text of a record lies in its parcel's own arena, so it
 * outlives the notification or the frame it was made of. Shore thread only. */
#include "sink/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/context.h"

#define ARENA_BLOCK 2048
#define MAX_ANNOTATIONS 5
#define MOST_CHANGE_LINES 3
#define USUAL_JSON_BYTES 1000

typedef struct parcel {
    tw_parcel parcel; /* first: a tw_parcel * is a parcel * */
    tw_arena text;
} parcel;

/* ---- helpers ---- */

static parcel *parcel_new(tw_record_kind kind, int64_t time_ms)
{
    parcel *p = tw_alloc(sizeof *p);
    tw_arena_init(&p->text, ARENA_BLOCK);
    p->parcel.refs = 1;
    p->parcel.made_ms = time_ms;
    p->parcel.record = (tw_record){.size = sizeof(tw_record),
                                   .kind = kind,
                                   .time_ms = time_ms,
                                   .title = "",
                                   .body = "",
                                   .starts_at_ms = TW_NO_TIME,
                                   .ends_at_ms = TW_NO_TIME};
    return p;
}

static const char *keep_n(parcel *p, const char *text, size_t n)
{
    return tw_arena_strndup(&p->text, text, n);
}

static const char *keep(parcel *p, const char *text)
{
    return keep_n(p, text ? text : "", text ? strlen(text) : 0);
}

/* A value of a label or annotation: text as it is, anything else as JSON. */
static const char *keep_value(parcel *p, const json_t *value)
{
    if (json_is_string(value))
        return keep_n(p, json_string_value(value), json_string_length(value));
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    const char *kept = keep(p, text);
    free(text);
    return kept;
}

static void keep_buf(parcel *p, tw_buf *json)
{
    p->parcel.record.json_size = json->len;
    p->parcel.record.json = keep_n(p, json->data, json->len);
    tw_buf_done(json);
}

static void keep_json(parcel *p, json_t *object)
{
    tw_buf text;

    tw_buf_init(&text, SIZE_MAX / 2);
    tw_json_write(object, &text);
    keep_buf(p, &text);
    json_decref(object);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tw_pair *)a)->name, ((const tw_pair *)b)->name);
}

/* ---- notifications ---- */

static void keep_labels(parcel *p, json_t *labels)
{
    tw_record *r = &p->parcel.record;
    tw_pair *pairs =
        tw_arena_alloc(&p->text, sizeof(tw_pair) * (json_object_size(labels) + 1));
    const char *name;
    json_t *value;

    json_object_foreach(labels, name, value)
    {
        pairs[r->label_count].name = keep(p, name);
        pairs[r->label_count++].value = keep_value(p, value);
    }
    qsort(pairs, r->label_count, sizeof *pairs, by_name);
    r->labels = pairs;
}

/* The newest few, the newest first, a line each. */
static const char *keep_changes(parcel *p, const tw_notification *n)
{
    size_t count = json_array_size(n->changes), at = count;
    tw_buf lines;

    tw_buf_init(&lines, ARENA_BLOCK);
    for (; at > 0 && count - at < MOST_CHANGE_LINES; at--) {
        char *line = tw_change_line(json_array_get(n->changes, at - 1), n->at_ms);
        tw_buf_printf(&lines, "%s%s", at < count ? "\n" : "", line);
        tw_free(line);
    }
    const char *kept = keep_n(p, lines.len ? lines.data : "", lines.len);
    tw_buf_done(&lines);
    return kept;
}

/* What people read beside the labels. Empty ones are left out. */
static void keep_annotations(parcel *p, const tw_notification *n)
{
    tw_record *r = &p->parcel.record;
    tw_pair *pairs = tw_arena_alloc(&p->text, sizeof(tw_pair) * MAX_ANNOTATIONS);
    const char *values = json_object_size(n->values) ? keep_value(p, n->values) : "";
    const tw_pair all[MAX_ANNOTATIONS] = {{"title", r->title},
                                          {"body", r->body},
                                          {"reason", keep(p, n->reason)},
                                          {"values", values},
                                          {"changes", keep_changes(p, n)}};

    for (size_t i = 0; i < MAX_ANNOTATIONS; i++) {
        if (all[i].value[0])
            pairs[r->annotation_count++] = all[i];
    }
    r->annotations = pairs;
}

tw_parcel *tw_parcel_from_notification(const tw_notification *n)
{
    parcel *p = parcel_new(TW_RECORD_ALERT, n->at_ms);
    tw_record *r = &p->parcel.record;

    r->id = keep(p, n->episode_id);
    r->key = keep(p, n->incident);
    r->rule = keep(p, n->rule);
    r->version = keep(p, n->version);
    r->incident = r->key;
    r->status = n->resolved ? "resolved" : "firing";
    r->level = tw_level_name(n->level);
    r->title = keep(p, n->title);
    r->body = keep(p, n->body);
    r->starts_at_ms = n->starts_at_ms;
    r->ends_at_ms = n->resolved ? n->ends_at_ms : TW_NO_TIME;
    keep_labels(p, n->labels);
    keep_annotations(p, n);

    tw_buf json;
    tw_buf_init(&json, SIZE_MAX / 2);
    tw_buf_reserve(&json, USUAL_JSON_BYTES);
    tw_notification_write(n, &json);
    keep_buf(p, &json);
    return &p->parcel;
}

/* ---- events ---- */

tw_parcel *tw_parcel_from_emitted(const tw_emitted_record *e)
{
    parcel *p = parcel_new(TW_RECORD_EVENT, e->time_ms);
    tw_record *r = &p->parcel.record;

    r->id = keep(p, e->id);
    r->key = keep(p, e->key);
    r->stream = keep(p, e->stream);
    r->rule = keep(p, e->rule);
    r->json = keep_n(p, e->json, e->json_size);
    r->json_size = e->json_size;
    return &p->parcel;
}

/* ---- dead letters ---- */

static char *base64(const char *data, size_t n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = tw_alloc((n + 2) / 3 * 4 + 1);
    char *to = out;

    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)(uint8_t)data[i] << 16;
        if (i + 1 < n)
            v |= (uint32_t)(uint8_t)data[i + 1] << 8;
        if (i + 2 < n)
            v |= (uint8_t)data[i + 2];
        *to++ = digits[v >> 18];
        *to++ = digits[v >> 12 & 63];
        *to++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
        *to++ = i + 2 < n ? digits[v & 63] : '=';
    }
    return out;
}

/* NAME as text, or NAME_base64 when the bytes are no UTF-8; null for a tombstone. */
static void set_bytes(json_t *object, const char *name, const char *data, size_t n)
{
    json_t *text = data ? json_stringn(data, n) : json_null();

    if (text) {
        json_object_set_new(object, name, text);
        return;
    }
    char *other = tw_asprintf("%s_base64", name);
    char *encoded = base64(data, n);
    json_object_set_new(object, other, json_string(encoded));
    tw_free(encoded);
    tw_free(other);
}

/* The same bytes from the same place have the same id, also after a restart. */
static const char *dead_id(parcel *p, const tw_dead_letter *d)
{
    char hex[33];
    tw_buf b;

    tw_buf_init(&b, SIZE_MAX / 2);
    tw_buf_printf(&b, "%s\n%s\n%s\n%d\n%lld\n", d->stream ? d->stream : "",
                  d->topic ? d->topic : "", d->stage ? d->stage : "", (int)d->partition,
                  (long long)d->offset);
    if (d->offset < 0 && d->data)
        tw_buf_add(&b, d->data, d->data_size);
    tw_hash_hex128(b.data, b.len, hex);
    tw_buf_done(&b);
    return keep(p, hex);
}

static void keep_headers(parcel *p, const tw_dead_letter *d)
{
    tw_record *r = &p->parcel.record;
    char number[24];
    tw_pair *h = tw_arena_alloc(&p->text, sizeof(tw_pair) * 8);
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"tw_dlq_partition", d->partition},
                   {"tw_dlq_offset", d->offset},
                   {"tw_dlq_attempts", d->attempts},
                   {"tw_dlq_first_seen", d->first_seen_ms}};

    h[r->header_count++] = (tw_pair){"tw_dlq_stream", keep(p, d->stream)};
    h[r->header_count++] = (tw_pair){"tw_dlq_topic", keep(p, d->topic)};
    h[r->header_count++] = (tw_pair){"tw_dlq_stage", keep(p, d->stage)};
    h[r->header_count++] = (tw_pair){"tw_dlq_error", keep(p, d->reason)};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(number, sizeof number, "%lld", (long long)numbers[i].value);
        h[r->header_count++] = (tw_pair){numbers[i].name, keep(p, number)};
    }
    r->headers = h;
}

tw_parcel *tw_parcel_from_dead_letter(const tw_dead_letter *d)
{
    parcel *p = parcel_new(TW_RECORD_DEAD_LETTER, d->first_seen_ms);
    tw_record *r = &p->parcel.record;

    r->id = dead_id(p, d);
    r->stream = keep(p, d->stream);
    r->key = d->key ? keep_n(p, d->key, d->key_size) : NULL;
    r->data = d->data ? keep_n(p, d->data, d->data_size) : NULL;
    r->data_size = d->data ? d->data_size : 0;
    keep_headers(p, d);

    json_t *object = json_object();
    json_object_set_new(object, "at", json_integer(d->first_seen_ms));
    json_object_set_new(object, "type", json_string("dead_letter"));
    json_object_set_new(object, "id", json_string(r->id));
    set_bytes(object, "stream", r->stream, strlen(r->stream));
    set_bytes(object, "topic", d->topic, d->topic ? strlen(d->topic) : 0);
    json_object_set_new(object, "partition", json_integer(d->partition));
    json_object_set_new(object, "offset", json_integer(d->offset));
    set_bytes(object, "stage", d->stage, d->stage ? strlen(d->stage) : 0);
    set_bytes(object, "error", d->reason, d->reason ? strlen(d->reason) : 0);
    json_object_set_new(object, "attempts", json_integer(d->attempts));
    set_bytes(object, "key", d->key, d->key_size);
    set_bytes(object, "data", d->data, d->data_size);
    keep_json(p, object);
    return &p->parcel;
}

/* ---- life ---- */

tw_parcel *tw_parcel_ref(tw_parcel *p)
{
    p->refs++;
    return p;
}

void tw_parcel_unref(tw_parcel *p)
{
    if (!p || --p->refs > 0)
        return;
    parcel *whole = (parcel *)p;
    tw_arena_done(&whole->text);
    tw_free(whole);
}
