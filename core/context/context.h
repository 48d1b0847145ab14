// SPDX-License-Identifier: Apache-2.0
/* What is remembered of each thing: the changes that streams told of and the alerts that were raised, by
 * entity (a field and its value, service = cart), so that an alert can say what happened before it.
 *
 *     entity "service=cart"   changes  [ 09:10 deploy v8 | 09:41 deploy v9 ]     by time, then stream,
 *                             alerts   [ 09:44 firing crit ]                     partition and offset
 *     entity "host=h7"        changes  [ 09:41 deploy v9 ]                       (the same entry)
 *
 * Bounded in entities, entries of an entity, age and bytes; what has to go is the oldest, and it is
 * counted. What a reader gets depends on the times of events alone, as long as nothing had to go.
 *
 * Any thread: every function takes the store's lock for as long as it copies. One store an engine. */
#ifndef TW_CONTEXT_CONTEXT_H
#define TW_CONTEXT_CONTEXT_H

#include "base/err.h"
#include "base/stats.h"
#include "flow/context.h"
#include "flow/event.h"
#include "flow/stream.h"

typedef struct tw_context_limits {
    uint32_t entities; /* with changes, and as many with alerts */
    uint32_t entries;  /* changes of an entity, and as many alerts */
    int64_t age_ms;    /* against the newest change */
    size_t bytes;
} tw_context_limits;
#define TW_CONTEXT_LIMITS_DEFAULT                                                        \
    {                                                                                    \
        10000, 32, 86400000, 64u << 20                                                   \
    }

enum {
    TW_CONTEXT_VALUE_BYTES = 200, /* of an entity's value; longer ones are no entity */
    TW_CONTEXT_TEXT_BYTES = 1024, /* of what an entry tells */
    TW_CONTEXT_ENTITIES = 32      /* of one entry */
};

typedef struct tw_context tw_context;

/* One change, or what became of an alert. Borrowed. */
typedef struct tw_context_entry {
    tw_context_kind kind;
    int64_t time_ms;
    tw_origin origin; /* changes */
    const tw_entity *entities;
    uint32_t entity_count;
    const char
        *text; /* members of a JSON object, on one line, each with a comma before it */
    size_t text_len;
} tw_context_entry;

/* limits.entities 0: those above. streams and stats outlive it. */
tw_context *tw_context_new(const tw_context_limits *limits, const tw_streams *streams,
                           tw_stats *stats);
void tw_context_free(tw_context *c);

/* A change that is there already (same stream, time and text) is not another one. Without an entity, or with a text
 * that is too long, it is let go. */
void tw_context_note(tw_context *c, const tw_context_entry *entry);
/* The port. */
json_t *tw_context_read(void *context, const tw_context_query *query);
void tw_context_note_alert(void *context, const tw_context_alert *alert);

typedef struct tw_context_counts {
    uint64_t entities, changes; /* things with changes, and these */
    uint64_t alerted, alerts;   /* the same of alerts */
    uint64_t bytes, let_go;
} tw_context_counts;
void tw_context_count(tw_context *c, tw_context_counts *out);

/* Streams by number. Into a new one; TW_EPARSE: the bytes are not what save wrote. (context_state.c) */
void tw_context_save(tw_context *c, tw_buf *out);
int tw_context_load(tw_context *c, const void *data, size_t size, tw_err *err);

#endif
