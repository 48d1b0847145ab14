// SPDX-License-Identifier: Apache-2.0
/* The lanes together: their threads, the rule set they run, what they tell the shore, and
 * the pause. Used by `run` (threads, real clock) and by replay and tests (virtual clock;
 * lanes = 0 runs everything on the caller's thread, lanes > 0 runs the same threads in
 * step with the input).
 *
 * All functions are called on the shore unless they say otherwise. */
#ifndef TW_ENGINE_H
#define TW_ENGINE_H

#include "lane.h"

/* What lanes tell the shore, in the order it arrived; sorted by (time, rule, key) when in
 * step. */
typedef struct tw_bad_frame {
    const tw_stream *stream;
    const char *topic; /* where it came from, or NULL; lives as long as the feed */
    int32_t partition;
    int64_t offset, arrival_ms;
    char *reason;
    char *key, *data; /* copies; NULL when there was none */
    size_t key_size, data_size;
} tw_bad_frame;

/* An event that came too late to change what a rule judges. */
typedef struct tw_late_event {
    tw_rule *rule; /* a reference */
    const tw_stream *stream;
    int64_t arrival_ms, time_ms;
    uint8_t *key; /* a copy */
    uint32_t key_len;
    int32_t partition;
    int64_t offset;
    char *raw; /* a copy of the event's JSON */
    size_t raw_size;
} tw_late_event;

/* What a rule emitted. */
typedef struct tw_emitted {
    tw_rule *rule; /* a reference */
    int64_t time_ms, order;
    uint64_t seq;
    char id[33]; /* the same for the same event, also after a crash */
    char *key;   /* the fields of the rule's key, as text */
    char *json;
    size_t json_size;
} tw_emitted;

typedef struct tw_engine_ports {
    void (*signal)(void *self, const tw_signal *s);
    void (*bad_frame)(void *self, const tw_bad_frame *f);
    void (*late)(void *self, const tw_late_event *l); /* NULL: they are only counted */
    void (*emitted)(void *self, const tw_emitted *e); /* NULL: they go to rules alone */
    void *self;
} tw_engine_ports;

typedef struct tw_engine_options {
    uint32_t lanes; /* 0: inline */
    const tw_clock *clock;
    tw_streams *streams;
    tw_stats *stats;
    tw_decode_limits limits;
    tw_table_view *tables;  /* what look-ups of emitted events read; taken; NULL: none */
    bool tells_all_emitted; /* also of streams that no route takes */
    uint32_t
        max_waiting; /* events of one rule on one lane that wait for its clock; 0: a million */
    tw_context_limits context; /* of what is remembered; entities 0: the defaults */
    tw_engine_ports ports;
    void (*wake_shore)(
        void *self); /* any thread: something waits for tw_engine_collect; may be NULL */
    void *wake_self;
} tw_engine_options;

typedef struct tw_engine tw_engine;

tw_engine *tw_engine_new(const tw_engine_options *options);
/* Starts the lanes with an empty rule set. */
int tw_engine_start(tw_engine *e, tw_err *err);
/* Pauses for good: feeds must have been removed. Threads end. */
void tw_engine_stop(tw_engine *e);
void tw_engine_free(tw_engine *e);

/* Compiles files for all lanes beside the running rules, then switches all lanes at one
 * point; rules that kept their name, or say which they had, keep what tw_rule_fate says. On failure
 * everything is as before. */
typedef struct tw_switch_report {
    uint64_t generation;
    uint32_t added, changed, unchanged, removed, moved, revived, state_kept;
    int64_t pause_us;
} tw_switch_report;
/* Called while paused, before the old set dies, for each rule that is gone or lost its state (now NULL), or
 * goes on under another name as `now`. */
typedef void (*tw_rule_gone)(void *self, const tw_rule *rule, tw_rule *now,
                             const char *reason);
typedef struct tw_switch {
    tw_rule_files *files;
    tw_table_view *
        tables; /* what look-ups read from that point on; taken, also on failure; NULL: what they read now */
    tw_rule_gone gone; /* may be NULL */
    void *self;
} tw_switch;
int tw_engine_switch(tw_engine *e, const tw_switch *to, tw_switch_report *out,
                     tw_err *err);
const tw_ruleset *tw_engine_rules(const tw_engine *e);
/* What waits for rules that are gone. */
const struct tw_park *tw_engine_park(const tw_engine *e);
/* For lanes that read a saved state: it knows a rule that is not there any more. */
struct tw_saved_rule;
void tw_engine_park_saved(tw_engine *e, uint32_t lane, const struct tw_saved_rule *saved);

/* Every lane stands still, rings are empty, and the shore may touch the lanes. Not
 * nested. Everything that was polled has been handled; positions and rule sets do not need that, and
 * their pauses cut batches between two frames. */
void tw_engine_pause(tw_engine *e);
void tw_engine_resume(tw_engine *e);

/* From now on look-ups on lanes read this view, which is taken. Pauses by itself. */
void tw_engine_set_tables(tw_engine *e, tw_table_view *view);
/* Whether a rule expects the keys of that table; and that rules get those it has now, in a pause. */
bool tw_engine_expects(const tw_engine *e, const char *table);
void tw_engine_expect_again(tw_engine *e);

/* Hands what lanes told the shore to the ports. Returns how many. */
uint32_t tw_engine_collect(tw_engine *e);

/* Everything the lanes know at one point, as bytes, and into an engine that has the rules and has handled
 * nothing yet, with as many lanes. What was told up to then is collected. Pauses by itself. Streams are
 * written by number, so both were made of the same configuration. TW_EUNSUPPORTED when a
 * detector cannot be saved yet; after a failed load the engine is to be freed. (engine_state.c) */
int tw_engine_save(tw_engine *e, tw_buf *out, tw_err *err);
int tw_engine_load(tw_engine *e, const void *data, size_t size, tw_err *err);

/* What is remembered of changes and alerts; lives as long as the engine. Any thread. */
tw_context *tw_engine_context(const tw_engine *e);
/* As readers and the incident stage see it. */
const tw_context_port *tw_engine_context_port(const tw_engine *e);

/* Sources begin now: a stream of which nothing is assigned holds clocks until it counts as idle. Without this all
 * partitions that will ever be are known. */
void tw_engine_sources_begin(tw_engine *e);
/* Feeds: pauses by itself. One that rests is not read before tw_engine_feeds_begin, and holds clocks: what is given
 * together begins together, or the first would be at its end before the others are there, and these late. What was
 * polled of a removed feed has been handled. out_next: offset after the last handled frame, -1 none. */
void tw_engine_feed_add(tw_engine *e, tw_feed_state *feed);
void tw_engine_feeds_begin(tw_engine *e);
void tw_engine_feed_remove(tw_engine *e, tw_feed_state *feed, int64_t *out_next);
/* Positions of all feeds at one point, everything before them handled and collected. */
typedef void (*tw_feed_visit)(void *self, tw_feed_state *feed);
void tw_engine_positions(tw_engine *e, tw_feed_visit visit, void *self);

/* While held no feed is polled, and no partition counts as silent: clocks stand still. Lanes go on with what
 * they have. */
void tw_engine_hold_sources(tw_engine *e, bool hold);

/* In step: one frame, or a move of the clock (frame NULL), handled completely by all
 * lanes. The caller has set the virtual clock. */
void tw_engine_step(tw_engine *e, const tw_stream *stream, uint32_t source,
                    int32_t partition, const tw_frame *frame);
/* In step: a partition without a feed is assigned, or taken away. */
void tw_engine_partition(tw_engine *e, const tw_stream *stream, uint32_t source,
                         int32_t partition, bool assigned);
/* The input has ended (replay): clocks go to the newest event; what is due then fires. */
void tw_engine_end(tw_engine *e);

/* A rule's clock, minimum over lanes; TW_TIME_NONE when it has none. */
int64_t tw_engine_rule_clock(const tw_engine *e, uint32_t rule);
/* Of a rule that waits by the wall while it has no clock: up to when it has told all, on every lane. 0: it has a
 * clock, or does not wait. Same order as the clock. */
int64_t tw_engine_rule_waited(const tw_engine *e, uint32_t rule);
/* All that the rule reads is idle, on every lane: what there was to read has been read. */
bool tw_engine_rule_idle(const tw_engine *e, uint32_t rule);

/* What became of a rule's events, over all lanes. Failed calls are those of its file since it was
 * loaded. */
typedef struct tw_rule_counts {
    uint64_t events, keyless, late, evicted, failures, throttled;
    int64_t keys;
    char last_failure[256]; /* "" none */
} tw_rule_counts;
void tw_engine_rule_counts(const tw_engine *e, uint32_t rule, tw_rule_counts *out);

/* Of a rule with a sequence: how many matches wait for each step (TW_SEQ_MAX_STEPS), over all lanes. False: it
 * has none. Pauses by itself. */
bool tw_engine_open_matches(tw_engine *e, uint32_t rule, uint64_t *out_by_step);
/* What would fall due by the holds of `fresh`, an edit of the rule, over all lanes. Pauses by itself. */
void tw_engine_due(tw_engine *e, uint32_t rule, const tw_rule *fresh, tw_due *out);
/* What the last switch did to the matches it had open. False: it has none. */
bool tw_engine_adopted(const tw_engine *e, uint32_t rule, tw_adopted *out);

/* ---- for lanes --------------------------------------------------------------------- */

void tw_engine_on_signal(void *lane, const tw_signal *s); /* lane */
void tw_engine_on_bad_frame(tw_lane *lane, const tw_frame *f,
                            const tw_err *err); /* lane */
/* Only when somebody wants to know: tw_engine_tells_late. */
void tw_engine_on_late(tw_lane *lane, const tw_instance *inst, const tw_key *key,
                       uint32_t input, const tw_event *ev, int64_t time_ms); /* lane */
bool tw_engine_tells_late(const tw_engine *e);                               /* lane */
bool tw_engine_wants_emitted(const tw_engine *e,
                             const struct tw_emit_plan *plan); /* lane */
void tw_engine_on_emitted(tw_lane *lane, const tw_signal *s, int64_t order,
                          const char *json, size_t size); /* lane */
const tw_table_view *tw_engine_tables(const tw_engine *e,
                                      uint64_t *out_generation);     /* lane */
uint32_t tw_engine_emitter(const tw_engine *e, const tw_rule *rule); /* shore */
uint32_t tw_engine_max_waiting(const tw_engine *e);
bool tw_engine_is_one(const tw_engine *e);    /* one thread stands for all lanes */
bool tw_engine_wants_cut(const tw_engine *e); /* lane: stop between two frames */
/* Too much waits on the shore, or sources are held: feeds are not polled. */
bool tw_engine_shore_is_full(const tw_engine *e);                     /* lane */
const tw_track *tw_engine_track(const tw_engine *e, uint32_t number); /* lane */
uint32_t tw_engine_track_count(const tw_engine *e);
const tw_clock *tw_engine_clock(const tw_engine *e);
const tw_streams *tw_engine_streams(const tw_engine *e);
const tw_decode_limits *tw_engine_decode_limits(const tw_engine *e,
                                                const tw_decode_limits *fallback);
void tw_engine_lane_stats(tw_engine *e, tw_lane *lane);
void tw_engine_rule_stats(tw_engine *e, uint32_t lane, tw_instance *inst);
void tw_engine_script_stats(tw_engine *e, tw_script *script);

#endif
