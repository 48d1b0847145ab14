// SPDX-License-Identifier: Apache-2.0
/* Which fields of a stream of changes are remembered, and how one event of it becomes an entry. The
 * fields are settled when a rule set is built (shore); noting is done by any lane. */
#ifndef TW_CONTEXT_CHANGE_H
#define TW_CONTEXT_CHANGE_H

#include "context/context.h"

typedef struct tw_change_field {
    uint32_t slot;
    const char *name; /* the path as registered; of the stream */
    char *json;       /* `,"name":` */
    size_t json_len;
} tw_change_field;

typedef struct tw_change_fields {
    tw_change_field *entities; /* what names things */
    uint32_t entity_count;
    tw_change_field *told; /* what is told of a change beside them */
    uint32_t told_count;
} tw_change_fields;

/* of: names of the entities' fields; NULL: the usual ones (service, host, pod, ...). keys: further ones, that rules
 * are keyed by. A path that is none, or that there is no room for, is passed over. Registers slots (shore). */
tw_change_fields *tw_change_fields_new(tw_stream *stream, char *const *of,
                                       uint32_t of_count, const char *const *keys,
                                       uint32_t key_count);
void tw_change_fields_free(tw_change_fields *f);

void tw_change_note(tw_context *c, const tw_change_fields *f, const tw_event *ev);

#endif
