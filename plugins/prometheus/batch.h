// SPDX-License-Identifier: Apache-2.0
/* Samples as frames of JSON: arrays of flat objects, all of one time, cut so that no frame passes a
 * size and a count that every decoder takes. A batch collects one poll; its frames are then taken as a list, or
 * dropped when the poll turns out to be bad. Shore. Invariant: each finished frame is one complete
 * array. */
#ifndef TW_PROMETHEUS_BATCH_H
#define TW_PROMETHEUS_BATCH_H

#include "prometheus/text.h"

enum { BATCH_FRAME_BYTES = 64 * 1024, BATCH_FRAME_SAMPLES = 500 };

typedef struct frame {
    struct frame *next;
    int64_t time_ms, offset;
    size_t size, capacity;
    uint32_t samples;
    char *data;
} frame;

/* What every sample of a target carries. */
typedef struct batch_labels {
    char *json;   /* `,"instance":"h:1","team":"x"` */
    char **names; /* the names in it, NULL-terminated: a sample's own label of such a name
                     becomes exported_NAME, as often as it takes to differ */
} batch_labels;

typedef struct batch {
    const batch_labels *labels;
    int64_t time_ms; /* of the poll; for samples without a stamp */
    frame *first, *last;
    uint32_t samples, not_numbers, restamped;
} batch;

void batch_begin(batch *b, const batch_labels *labels, int64_t time_ms);

/* Adds one sample, unless it is NaN or infinite (counted). A stamp outside the years 2001 to 9999,
 * which a reader could mistake for seconds, is replaced by the poll's time (counted). extra: more
 * members as `,"a":1`, or NULL. */
void batch_add(batch *b, const text_sample *s, const char *extra);
/* A sample of the poller itself: up and its kin. */
void batch_add_own(batch *b, const char *name, double value, const char *extra);

/* Gives the frames away; the batch is empty then. */
frame *batch_take(batch *b);
void batch_drop(batch *b);
void frame_free(frame *f);

/* text as a JSON string with its quotes, new memory. Bytes that are no UTF-8 become U+FFFD. */
char *json_quote(const char *text);

#endif
