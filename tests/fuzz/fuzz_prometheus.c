// SPDX-License-Identifier: Apache-2.0
/* The Prometheus text reader and what becomes of its samples. Whatever the bytes: an error has a place
 * in the text, samples lie within it and are well formed, and the frames made of them are arrays that
 * jansson reads back with the same values. Each input is read as either format. */
#include "prometheus/text.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prometheus/batch.h"
#include "target.h"

/* A plugin exports nothing but its descriptor, so its parts are compiled in. */
#include "prometheus/batch.c"
#include "prometheus/memory.c"
#include "prometheus/number.c"
#include "prometheus/text.c"

#define insist(condition)                                                                \
    ((condition) ? (void)0                                                               \
                 : (fprintf(stderr, "line %d: %s\n", __LINE__, #condition), abort()))

enum { VALUES_MAX = 4096 };

static void check_sample(const text_sample *s, const char *text, size_t size)
{
    insist(s->name.at >= text && s->name.at + s->name.size <= text + size);
    insist(s->name.size > 0 && s->label_count <= TEXT_LABELS_MAX);
    for (uint32_t i = 0; i < s->label_count; i++) {
        const text_label *l = &s->labels[i];
        insist(l->name.size > 0 && l->name.at + l->name.size <= text + size);
        insist(l->value.at >= text && l->value.at + l->value.size <= text + size);
        insist(text_is_utf8(l->value.at, l->value.size));
    }
}

static void check_frames(frame *first, const double *values, size_t count)
{
    size_t seen = 0;

    while (first) {
        json_t *array = json_loadb(first->data, first->size,
                                   JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
        insist(json_is_array(array) && json_array_size(array) == first->samples);
        for (size_t i = 0; i < json_array_size(array); i++, seen++) {
            const json_t *s = json_array_get(array, i);
            insist(json_is_string(json_object_get(s, "name")));
            insist(json_number_value(json_object_get(s, "time")) >= 1e12);
            insist(seen < count);
            insist(json_number_value(json_object_get(s, "value")) == values[seen]);
        }
        json_decref(array);
        frame *next = first->next;
        frame_free(first);
        first = next;
    }
    insist(seen == count);
}

static void read_as(text_format format, const uint8_t *data, size_t size)
{
    static double values[VALUES_MAX];
    char *instance[] = {(char *)(uintptr_t) "instance", NULL};
    const batch_labels labels = {(char *)(uintptr_t) ",\"instance\":\"a:1\"", instance};
    char *text = malloc(size ? size : 1);
    size_t count = 0;
    text_reader r;
    text_sample s;
    batch b;
    int rc;

    insist(text);
    memcpy(text, data, size);
    text_reader_init(&r, format, text, size, NULL);
    batch_begin(&b, &labels, INT64_C(1732182005000));
    while ((rc = text_reader_next(&r, &s)) > 0 && count < VALUES_MAX) {
        check_sample(&s, text, size);
        if (isfinite(s.value))
            values[count++] = s.value;
        batch_add(&b, &s, NULL);
    }
    if (rc < 0) {
        insist(r.error.line >= 1 && r.error.column >= 1 && *r.error.text);
        insist((size_t)r.error.column <= size + 1 && (size_t)r.error.line <= size + 1);
    }
    insist(b.samples == count);
    check_frames(batch_take(&b), values, count);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_as(TEXT_PROMETHEUS, data, size);
    read_as(TEXT_OPENMETRICS, data, size);
    return 0;
}
