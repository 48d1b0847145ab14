// SPDX-License-Identifier: Apache-2.0
/* A stream: what a rule names by `from`. Made from the configuration (or on demand by replay and
 * tests, or when a rule emits it), numbered, lives as long as the process. Immutable but for its field
 * registry. Added on the shore, found by any thread. */
#ifndef TW_FLOW_STREAM_H
#define TW_FLOW_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/declared.h"

#define TW_FUTURE_ANY (INT64_MAX / 4)

typedef enum tw_format { TW_FORMAT_JSON, TW_FORMAT_TEXT } tw_format;

typedef struct tw_stream {
    uint32_t id;
    char *name;
    tw_format format; /* TEXT: one event with the single field `message` */
    char *time_path;  /* event time; NULL: the source's time stamp, else arrival */
    char *key_path;   /* default key of rules that name none; NULL */
    bool on_demand;   /* not of the configuration: a rule named it */
    /* TW_FUTURE_ANY: of what rules emit, whose time is of a clock and needs no correction */
    int64_t future_ms; /* stamps further ahead of arrival are clamped (default 60000) */
    int64_t
        align_ms; /* how far a partition may run ahead in a backlog; 0: as far as it likes
                          (default 10000) */
    /* its events are changes of what they name, and are remembered (core/context) */
    bool changes;
    char **change_of; /* fields that name it; NULL: the usual ones */
    uint32_t change_of_count;
    tw_declared *declared; /* strict: the fields that rules may name; NULL: any */
    tw_fields *fields;
} tw_stream;

typedef struct tw_streams tw_streams;

tw_streams *tw_streams_new(void);
void tw_streams_free(tw_streams *s);
/* Adds a stream with defaults; the caller fills in the rest before lanes start. */
tw_stream *tw_streams_add(tw_streams *s, const char *name);
tw_stream *tw_streams_find(const tw_streams *s, const char *name); /* NULL when unknown */
tw_stream *tw_streams_at(const tw_streams *s, uint32_t id);
uint32_t tw_streams_count(const tw_streams *s);

/* A rule that emits, by a number that is never 0 and, but for a collision, the same in every process: where
 * events come from is kept long after the rule has gone. Shore only. */
uint32_t tw_streams_emitter(tw_streams *s, const char *rule, const tw_stream *into);
/* Its name and its stream; NULL: never heard of. */
const char *tw_streams_emitter_of(const tw_streams *s, uint32_t number,
                                  const tw_stream **out_into);

/* What streams of changes are called by custom: they are remembered without a word of configuration. NULL ends the
 * list. */
extern const char *const tw_streams_of_changes[];
bool tw_stream_name_tells_changes(const char *name);

#endif
