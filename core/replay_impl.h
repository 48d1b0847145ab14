// SPDX-License-Identifier: Apache-2.0
/* The inside of tw_replay, for replay*.c only. */
#ifndef TW_REPLAY_IMPL_H
#define TW_REPLAY_IMPL_H

#include "app_order.h"
#include "base/map.h"
#include "replay.h"
#include "replay_notes.h"

typedef struct output_line {
    int64_t at_ms;
    uint64_t order;
    char *text;
} output_line;

struct tw_replay {
    tw_replay_options options;
    tw_clock clock;
    tw_stats *stats;
    tw_engine_options engine_options;
    tw_engine *engine;
    tw_incidents *incidents;
    tw_app_order *order; /* what incidents are told comes in order of time, as in `run` */
    tw_incidents_options incidents_options; /* for the one behind a restart */
    bool started;                           /* the first line has set the clock */
    /* the envelope of a line is read by a decoder of its own */
    tw_streams *envelope_streams;
    tw_stream *envelope;
    tw_projection *envelope_fields;
    tw_decode_plan *envelope_plan;
    tw_decoder *envelope_decoder;
    int slot_at, slot_stream, slot_event, slot_partition, slot_do, slot_rules;
    tw_replay_notes *notes;
    tw_map *offsets; /* "stream partition" -> next offset */
    output_line *lines;
    size_t line_count, line_cap;
};

/* replay.c */
int64_t tw_replay_next_offset(tw_replay *r, const tw_stream *stream, int32_t partition);
/* replay_drive.c */
/* What lanes told goes on to the incidents, whose clocks then move. */
void tw_replay_settle(tw_replay *r);
/* An engine without rules, in step. */
int tw_replay_open_engine(tw_replay *r, tw_err *err);
/* Behind the streams of the rules, so that theirs have the numbers they always had. */
void tw_replay_add_streams_of_changes(tw_replay *r);
/* What incidents read and note. */
tw_context_port tw_replay_context_port(tw_replay *r);
bool tw_replay_rule_idle(void *self, const char *rule);

/* replay_deeds.c: what people did to incidents; the whole line. */
bool tw_replay_is_deed(const char *what);
int tw_replay_deed(tw_replay *r, const char *what, const char *text, size_t n,
                   tw_err *err);

#endif
