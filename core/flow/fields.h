// SPDX-License-Identifier: Apache-2.0
/* The field paths of one stream that anything in C reads, each with a slot number. The registry
 * only grows while the process lives, so a slot means the same path in every rule version, and
 * an event decoded under an older rule set can be read under a newer one.
 *
 * A tw_projection is the frozen set of slots that one rule set wants filled; the decoder fills
 * exactly those. Paths: dotted ("labels.zone"), a quoted key with dots as ["k8s.pod.name"]
 * (written `["k8s.pod.name"]` or `a["b.c"]`), array elements `tags[0]`.
 *
 * Thread: the registry is changed on the shore only; a projection is immutable and shared. */
#ifndef TW_FLOW_FIELDS_H
#define TW_FLOW_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define TW_MAX_FIELDS 1024
#define TW_MAX_PATH_STEPS 16

/* Slots below TW_SLOT_FIRST_FIELD are the reserved paths; they are read from the event itself. */
enum {
    TW_SLOT_TIME = 0,      /* @time */
    TW_SLOT_STREAM = 1,    /* @stream */
    TW_SLOT_PARTITION = 2, /* @partition */
    TW_SLOT_OFFSET = 3,    /* @offset */
    TW_SLOT_FIRST_FIELD = 4
};

typedef struct tw_path_step {
    const char *name; /* NULL: an array index */
    uint32_t name_len;
    uint32_t index;
} tw_path_step;

typedef struct tw_field {
    char *path; /* as written, canonical */
    tw_path_step steps[TW_MAX_PATH_STEPS];
    uint32_t step_count;
} tw_field;

typedef struct tw_fields tw_fields;

tw_fields *tw_fields_new(void);
void tw_fields_free(tw_fields *f);
/* Slot of a path, registered if new. Negative: TW_EPARSE (bad path), TW_ELIMIT. */
int tw_fields_slot(tw_fields *f, const char *path, tw_err *err);
const tw_field *tw_fields_at(const tw_fields *f,
                             uint32_t slot);  /* NULL for reserved slots */
uint32_t tw_fields_count(const tw_fields *f); /* highest slot + 1 */
/* Takes back the slots from `count` on, which nobody has seen: of rules that were refused. */
void tw_fields_forget(tw_fields *f, uint32_t count);

typedef struct tw_projection {
    const tw_fields *fields;
    uint32_t slot_count; /* size of an event's slot array: tw_fields_count at freezing */
    uint32_t count;      /* how many slots are wanted */
    uint32_t *slots;     /* ascending, no reserved ones */
} tw_projection;

/* wanted: slots in any order, repeats allowed. */
tw_projection *tw_projection_new(const tw_fields *f, const uint32_t *wanted,
                                 uint32_t count);
void tw_projection_free(tw_projection *p);

#endif
