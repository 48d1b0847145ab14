// SPDX-License-Identifier: Apache-2.0
/* Frames of samples; see batch.h. */
#include "prometheus/batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prometheus/memory.h"
#include "prometheus/number.h"

/* 2001-09-09 and the end of 9999: between them nothing takes milliseconds for another unit. */
#define STAMP_MIN_MS INT64_C(1000000000000)
#define STAMP_MAX_MS INT64_C(253402300799999)

/* A byte of text becomes at most six. */
#define ESCAPED_MAX 6

static void make_room(frame *f, size_t n)
{
    if (f->size + n <= f->capacity)
        return;
    while (f->capacity < f->size + n)
        f->capacity = f->capacity ? f->capacity * 2 : 4096;
    f->data = xrealloc(f->data, f->capacity);
}

static void append(frame *f, const char *bytes, size_t n)
{
    make_room(f, n);
    memcpy(f->data + f->size, bytes, n);
    f->size += n;
}

static void append_text(frame *f, const char *text)
{
    append(f, text, strlen(text));
}

/* The text is UTF-8. */
static void append_escaped(frame *f, text_slice s)
{
    static const char hex[] = "0123456789abcdef";

    make_room(f, s.size * ESCAPED_MAX);
    char *to = f->data + f->size;
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c == '"' || c == '\\') {
            *to++ = '\\';
            *to++ = (char)c;
        } else if (c >= 0x20) {
            *to++ = (char)c;
        } else {
            memcpy(to, "\\u00", 4);
            to[4] = hex[c >> 4];
            to[5] = hex[c & 15];
            to += 6;
        }
    }
    f->size = (size_t)(to - f->data);
}

static void append_integer(frame *f, int64_t v)
{
    char digits[NUMBER_ROOM];
    append(f, digits, number_write((double)v, digits));
}

static frame *frame_for_next(batch *b, int64_t time_ms)
{
    frame *f = b->last;

    if (f && f->time_ms == time_ms && f->samples < BATCH_FRAME_SAMPLES &&
        f->size < BATCH_FRAME_BYTES)
        return f;
    if (f)
        append(f, "]", 1);
    f = xalloc(sizeof *f);
    f->time_ms = time_ms;
    if (b->last)
        b->last->next = f;
    else
        b->first = f;
    b->last = f;
    return f;
}

static bool is_one_of(text_slice name, const char *const *names)
{
    for (; *names; names++) {
        if (strlen(*names) == name.size && memcmp(*names, name.at, name.size) == 0)
            return true;
    }
    return false;
}

static bool is_own(const batch *b, text_slice name)
{
    return is_one_of(name, (const char *const *)b->labels->names);
}

/* Whether name is the prefix, so many times, and rest. */
static bool is_prefixed(text_slice name, const char *prefix, size_t times,
                        text_slice rest)
{
    size_t n = strlen(prefix);

    if (name.size != times * n + rest.size)
        return false;
    for (size_t i = 0; i < times; i++) {
        if (memcmp(name.at + i * n, prefix, n) != 0)
            return false;
    }
    return memcmp(name.at + times * n, rest.at, rest.size) == 0;
}

/* How often the prefix must stand before a label's name for no other to be called so. */
static size_t prefix_times(const batch *b, const text_sample *s, const char *prefix,
                           text_slice name)
{
    size_t times = 1;

    for (bool taken = true; taken; times += taken) {
        taken = false;
        for (uint32_t i = 0; i < s->label_count && !taken; i++)
            taken = is_prefixed(s->labels[i].name, prefix, times, name);
        for (char **own = b->labels->names; *own && !taken; own++)
            taken = is_prefixed((text_slice){*own, strlen(*own)}, prefix, times, name);
    }
    return times;
}

static void append_label(const batch *b, frame *f, const text_sample *s,
                         const text_label *l)
{
    static const char *const reserved[] = {"name", "value", "time", "warnings", NULL};
    const char *prefix = is_one_of(l->name, reserved) ? "label_"
                         : is_own(b, l->name)         ? "exported_"
                                                      : NULL;

    append(f, ",\"", 2);
    for (size_t n = prefix ? prefix_times(b, s, prefix, l->name) : 0; n > 0; n--)
        append_text(f, prefix);
    append_escaped(f, l->name);
    append(f, "\":\"", 3);
    append_escaped(f, l->value);
    append(f, "\"", 1);
}

void batch_begin(batch *b, const batch_labels *labels, int64_t time_ms)
{
    *b = (batch){.labels = labels, .time_ms = time_ms};
}

void batch_add(batch *b, const text_sample *s, const char *extra)
{
    char number[NUMBER_ROOM];
    int64_t time_ms = s->time_ms;

    if (!isfinite(s->value)) {
        b->not_numbers++;
        return;
    }
    if (time_ms == TEXT_NO_TIME) {
        time_ms = b->time_ms;
    } else if (time_ms < STAMP_MIN_MS || time_ms > STAMP_MAX_MS) {
        b->restamped++;
        time_ms = b->time_ms;
    }
    frame *f = frame_for_next(b, time_ms);
    append_text(f, f->samples ? ",{\"name\":\"" : "[{\"name\":\"");
    append_escaped(f, s->name);
    append_text(f, "\",\"value\":");
    append(f, number, number_write(s->value, number));
    append_text(f, ",\"time\":");
    append_integer(f, time_ms);
    append_text(f, b->labels->json);
    for (uint32_t i = 0; i < s->label_count; i++)
        append_label(b, f, s, &s->labels[i]);
    if (extra)
        append_text(f, extra);
    append(f, "}", 1);
    f->samples++;
    b->samples++;
}

void batch_add_own(batch *b, const char *name, double value, const char *extra)
{
    text_sample s = {
        .name = {name, strlen(name)}, .value = value, .time_ms = TEXT_NO_TIME};
    batch_add(b, &s, extra);
}

frame *batch_take(batch *b)
{
    frame *first = b->first;

    if (b->last)
        append(b->last, "]", 1);
    b->first = b->last = NULL;
    return first;
}

void batch_drop(batch *b)
{
    while (b->first) {
        frame *next = b->first->next;
        frame_free(b->first);
        b->first = next;
    }
    b->last = NULL;
    b->samples = b->not_numbers = b->restamped = 0;
}

void frame_free(frame *f)
{
    if (!f)
        return;
    free(f->data);
    free(f);
}

char *json_quote(const char *text)
{
    frame f = {0};
    size_t n = strlen(text);

    append(&f, "\"", 1);
    if (text_is_utf8(text, n)) {
        append_escaped(&f, (text_slice){text, n});
    } else {
        for (size_t i = 0; i < n; i++) {
            if ((unsigned char)text[i] < 0x80)
                append_escaped(&f, (text_slice){text + i, 1});
            else
                append_text(&f, "\xEF\xBF\xBD");
        }
    }
    append(&f, "\"", 2);
    return f.data;
}
