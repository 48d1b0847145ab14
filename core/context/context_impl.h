// SPDX-License-Identifier: Apache-2.0
/* The inside of tw_context, for context/ only. */
#ifndef TW_CONTEXT_IMPL_H
#define TW_CONTEXT_IMPL_H

#include <pthread.h>

#include "base/map.h"
#include "context/context.h"

/* What is remembered once, by every entity it is about. */
typedef struct tw_kept_entry {
    uint32_t refs;
    tw_context_kind kind;
    int64_t time_ms;
    tw_origin origin;
    uint64_t number;   /* alerts: the order they came in */
    uint32_t pair_len; /* entities: length and bytes of the name, then of the value */
    uint32_t text_len;
    char bytes[]; /* the pairs, then the text */
} tw_kept_entry;

typedef struct tw_kept_list {
    tw_kept_entry **items; /* in order */
    uint32_t count, room;
} tw_kept_list;

/* What is remembered of one entity in one kind. In the map of its kind, and in the line of those that something was
 * noted of: the one that has waited the longest goes first. */
typedef struct tw_kept_entity {
    tw_context_kind kind;
    char *name; /* "service=cart"; of the map */
    size_t name_len;
    tw_kept_list list;
    int64_t newest_ms;
    struct tw_kept_entity *before, *behind;
} tw_kept_entity;

/* Changes and alerts do not take each other's room: a hundred thousand alerts must not make what they came from be
 * forgotten. */
typedef struct tw_kept_kind {
    tw_map *entities;
    tw_kept_entity *oldest, *newest;
    uint64_t held; /* entries */
    size_t bytes;
} tw_kept_kind;

struct tw_context {
    tw_context_limits limits;
    const tw_streams *streams;
    pthread_mutex_t lock;
    tw_kept_kind kinds[2]; /* by tw_context_kind */
    int64_t newest_ms;     /* of all changes; TW_TIME_NONE */
    uint64_t number, let_go;
    tw_gauge *entity_gauges[2], *entry_gauges[2], *byte_gauge;
    tw_counter *gone_entities, *gone_entries, *gone_bytes, *gone_age, *gone_text;
};

/* context.c; all under the lock. */
/* Counts a new entry among what is held. */
void tw_kept_entry_count(tw_context *c, tw_kept_entry *e);
/* The entity of that name, at the end of the line; others may go for a new one. */
tw_kept_entity *tw_kept_entity_of(tw_context *c, tw_context_kind kind, const char *name,
                                  size_t n);
/* Puts the entry into its place, with a reference, unless it is there or too old for a full list. */
void tw_kept_entity_insert(tw_context *c, tw_kept_entity *x, tw_kept_entry *e);
void tw_context_settle(tw_context *c); /* back within all bounds */
tw_kept_entry *tw_kept_entry_new(const tw_context_entry *from);
void tw_kept_entry_unref(tw_context *c, tw_kept_entry *e);
int tw_kept_entry_compare(const tw_kept_entry *a, const tw_kept_entry *b);
/* "service=cart"; out has room for TW_CONTEXT_NAME_BYTES. 0: it is too long or empty. */
#define TW_CONTEXT_NAME_BYTES 512
size_t tw_entity_name(const tw_entity *e, char *out);
/* Walks the pairs: offset from 0; false at the end. */
bool tw_kept_entry_next(const tw_kept_entry *e, uint32_t *io_at, tw_entity *out);

#endif
