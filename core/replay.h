// SPDX-License-Identifier: Apache-2.0
/* Recorded events through rules under a virtual clock: the engine in step, the incident
 * stage behind it, and everything that would have left as JSON lines ordered by time.
 * Used by `tidewatch replay`, by the flow tests and by benches. Caller's thread. */
#ifndef TW_REPLAY_H
#define TW_REPLAY_H

#include <stdio.h>

#include "alert/incident.h"
#include "engine.h"

typedef struct tw_replay_options {
    tw_rule_files *files; /* loaded already, instead of rule_paths; borrowed */
    /* Takes each output object, borrowed, as it comes; tw_replay_write has none then. NULL: no. */
    void (*output)(void *self, int64_t at_ms, const json_t *object);
    void *output_self;
    const char *const *rule_paths;
    size_t rule_path_count;
    tw_streams *streams; /* of a configuration, or an empty set with any_stream */
    bool any_stream;
    json_t *params;
    tw_lookup_port lookup;
    tw_table_view
        *table_view; /* the same tables, for what rules emit; borrowed, or NULL */
    const char *const *tables; /* names, NULL-terminated; NULL: any */
    const bool *table_history; /* by table: whether it keeps any; NULL: all do */
    const tw_declared *const *table_columns; /* by table; NULL: not known */
    const char *const *routes;               /* the same */
    /* of a configuration; 0: default */
    size_t memory_bytes;
    int64_t cpu_ms, load_cpu_ms;
    tw_decode_limits limits;
    tw_context_limits context;
    uint32_t lanes;
    bool all;     /* also changes, dropped and late events */
    bool signals; /* also what detectors tell, before incidents make of it what they do */
    bool text;    /* lines for people instead of JSON */
    int64_t until_ms; /* TW_TIME_NONE: stop at the last line */
} tw_replay_options;

typedef struct tw_replay tw_replay;

/* NULL with findings when the rules are refused, or with err. */
tw_replay *tw_replay_new(const tw_replay_options *options, tw_findings *out_findings,
                         tw_err *err);
void tw_replay_free(tw_replay *r);
/* One line of the replay format (no newline). Errors name what is wrong with it; the
 * caller adds the line's number. */
int tw_replay_line(tw_replay *r, const char *line, size_t n, tw_err *err);
/* The input is over: clocks go on to until, or to the newest event. */
void tw_replay_end(tw_replay *r);
/* Why nothing was told, or less than one would think, for people; nothing when all is as it should
 * be. Before tw_replay_write, which forgets how many lines there were. */
void tw_replay_explain(const tw_replay *r, FILE *out);
/* Writes the output lines, ordered by time, and forgets them. */
void tw_replay_write(tw_replay *r, FILE *out);
tw_engine *tw_replay_engine(tw_replay *r);

/* ---- without lines (replay_drive.c) */

/* Moves the clock to at_ms; an earlier time is an error. */
int tw_replay_move(tw_replay *r, int64_t at_ms, tw_err *err);
/* One event that arrives now. stamp_ms: its source's time stamp, TW_TIME_NONE for none. */
int tw_replay_event(tw_replay *r, const char *stream, int32_t partition, const char *json,
                    size_t size, int64_t stamp_ms, tw_err *err);
/* As a reload does. */
int tw_replay_switch(tw_replay *r, tw_rule_files *files, tw_err *err);
/* Everything the lanes know is written, thrown away and read back. TW_EUNSUPPORTED when a detector cannot
 * be saved yet. */
int tw_replay_restart(tw_replay *r, tw_err *err);
/* A partition of this stream is assigned, or taken away. */
int tw_replay_assign(tw_replay *r, const char *stream, int32_t partition, bool assigned,
                     tw_err *err);

#endif
