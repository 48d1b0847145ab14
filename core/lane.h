// SPDX-License-Identifier: Apache-2.0
/* One lane: polls its feeds, decodes, routes, hands matched events to the lane that owns
 * their key, and judges the events of its own keys. A thread of its own, or (lanes = 0)
 * the caller's.
 *
 * Nothing mutable is shared between lanes but where time began. They meet at the rings (one per pair and
 * direction), which carry copies of matched events and reports of partition clocks, in
 * order; and at the pause, when the shore has every lane standing still with empty rings
 * and may touch all of this directly: feeds are added and taken back, rule sets swapped
 * and positions read only then. */
#ifndef TW_LANE_H
#define TW_LANE_H

#include <pthread.h>

#include "base/stats.h"
#include "detect/detector.h"
#include "detect/reorder.h"
#include "host/ring.h"
#include "flow/emit.h"
#include "flow/table_view.h"
#include "host/wake.h"
#include "plugins/tidewatch.h"
#include "ruleset.h"
#include "state/bytes.h"

struct tw_engine;
struct tw_parked;

/* The host's side of a source's feed. */
typedef struct tw_feed_state {
    tw_feed *feed;
    const tw_source_type *type;
    void *instance;
    const tw_stream *stream;
    uint32_t source; /* number of (instance, topic): part of a partition's identity */
    int32_t partition;
    char *topic;
    struct tw_lane *lane;    /* NULL while nobody polls it */
    int64_t next_offset;     /* after the last handled frame; -1 none yet */
    int64_t reported_offset; /* last told to the source */
    bool at_end;             /* the source said so */
    bool rests;              /* it has its lane and holds clocks, and is not read yet */
    bool has_begun; /* its first frame has been handled, and all lanes know its time */
    /* a batch that a pause cut: all of it, to be released as one, and what has not been handled */
    tw_frame *rest; /* NULL: none */
    int rest_at, rest_count;
} tw_feed_state;

/* One rule on one lane. */
typedef struct tw_instance {
    tw_rule *rule; /* the rule set's */
    struct tw_lane *lane;
    tw_detector *detector;
    tw_reorder *reorder; /* NULL: nothing waits, or not any more */
    uint32_t domain;
    uint32_t heap_at; /* place in the domain's heap */
    int64_t due_ms;   /* when the clock must reach it next; INT64_MAX never */
    uint64_t
        straight; /* inputs, a bit each, of which an event needs nothing but its key to be judged at its own time */
    bool
        immediate; /* the detector gets an event as it comes, and nothing else wants to know of it */
    /* a source guard: all lanes are to know when the input was heard */
    int64_t guard_ms; /* 0: none */
    uint32_t guarded_input;
    bool
        waits; /* events wait for the clock; if not, those of an operator that has a beginning wait for that */
    bool goes_on;                       /* with what an older version knew */
    int64_t heard_from_ms, heard_to_ms; /* not told yet; from TW_TIME_NONE: nothing */
    bool
        ordered; /* it reads what rules emit: events wait for the clock even without lateness */
    int64_t
        warming_until_ms; /* since an edit it looks further back than it remembers; 0: it does not */
    bool prompt; /* ordered, and nobody asks that equal instants come in one order */
    struct tw_dedup *dedup; /* NULL: none */
    struct tw_raised
        *raised; /* with `resolve.on`: whom an event of that input may concern */
    struct tw_throttle *throttle; /* of what it emits; NULL: none */
    /* what it emits */
    bool emits_to_rules;
    uint64_t name_hash, rows_generation;
    uint32_t emitter;          /* the rule, in the origin of what it emits */
    const tw_rows **rows;      /* by look-up; NULL before the first */
    struct tw_held_rows *held; /* of tables that change, likewise */
    tw_counter *events, *keyless, *late, *evicted, *dropped, *emitted, *repeats;
    tw_counter *clamped;                  /* by its own clock.future; NULL: it has none */
    tw_counter *unsent[TW_EMIT_OUTCOMES]; /* by why an event was not emitted */
    tw_gauge *keys;
} tw_instance;

/* One clock of a lane and the instances waiting for it, earliest first (a binary heap).
 */
typedef struct tw_domain {
    int64_t clock_ms;
    int64_t begun_ms; /* where time began; TW_TIME_NONE: not yet, or under older rules */
    tw_instance **heap;
    uint32_t count;
    _Atomic int64_t published_ms; /* for the shore */
    /* Before there is a clock: wall time up to which who waits by the wall has told all; 0: nobody does. */
    _Atomic int64_t waited_ms;
    /* All that its rules read is idle, also behind the rules that emit it; true only when the shore has been told
     * all that came due when it became so. */
    _Atomic bool idle;
} tw_domain;

/* Of the frames being handled: the newest time on one track of their stream. */
typedef struct tw_track_seen {
    uint32_t track, time_slot;
    int64_t future_ms;
    int64_t max_ms; /* TW_TIME_NONE: no event yet */
} tw_track_seen;

/* A rule set brought to life on one lane: its Lua states, operators and clocks. */
typedef struct tw_lane_rules {
    tw_ruleset *set; /* borrowed from the engine */
    tw_script **scripts;
    uint32_t script_count;
    tw_instance *instances; /* by rule number */
    tw_domain *domains;
} tw_lane_rules;

typedef struct tw_lane {
    uint32_t number, lane_count;
    struct tw_engine *engine;
    const tw_clock *clock;
    tw_decoder *decoder;
    tw_route_scratch *route_scratch;
    tw_slab *slab;
    tw_clocks clocks;
    tw_lane_rules *rules;
    struct tw_lane_emitter *emitter;
    tw_feed_state **feeds;
    uint32_t feed_count;
    tw_ring **out; /* to lane i; NULL for itself */
    tw_ring **in;  /* from lane i: borrowed */
    tw_wake *wake;
    struct tw_lane **peers;
    /* the frame being handled */
    const tw_stream *stream;
    const tw_stream_plan *stream_plan;
    const tw_remembered_plan *change_plan; /* NULL: nothing of it is remembered */
    const char *topic;                     /* NULL in replay */
    int32_t partition;
    uint32_t source;
    int64_t arrival_ms;
    int64_t
        stamp_ms; /* newest of the source's stamps in the batch; TW_TIME_NONE: it gives none */
    uint64_t seq;
    uint32_t heard_pending; /* instances that have something to tell of what was heard */
    int64_t tick_ms;        /* when idle partitions were last looked at */
    tw_track_seen *seen; /* by place in the stream plan's tracks; told to the clocks, and
                            the tally to the counters, when the batch is done */
    uint32_t seen_count, seen_room;
    bool full_batch; /* the feed gave all it was asked for */
    struct {
        uint64_t frames, bytes, events, matched;
    } tally;
    /* counters of this lane */
    tw_counter *frames, *events, *bytes, *tombstones, *bad_frames, *clamped, *matched,
        *exchanged, *held;
    pthread_t thread;
    bool started;
} tw_lane;

tw_lane *tw_lane_new(struct tw_engine *engine, uint32_t number, uint32_t lane_count);
void tw_lane_free(tw_lane *lane);

/* The life of a rule set on a lane. Made and freed on the shore; adopt and use only while
 * paused. */
tw_lane_rules *tw_lane_rules_new(tw_lane *lane, tw_ruleset *set, tw_err *err);
void tw_lane_rules_free(tw_lane_rules *rules);
/* Moves state of rules that go on, and the clocks, from old to fresh, which the lane has from then on. parked: by
 * rule, what it wakes with; NULL: nothing. (lane_adopt.c) */
void tw_lane_rules_adopt(tw_lane *lane, tw_lane_rules *fresh, tw_lane_rules *old,
                         struct tw_parked *const *parked);
/* The clock of a domain and the newest time that its streams have come to, over all lanes; each TW_TIME_NONE: none
 * yet. */
typedef struct tw_start {
    int64_t clock_ms, newest_ms;
} tw_start;
/* By domain: raises what other lanes know to what this lane knows. */
void tw_lane_rules_starts(const tw_lane *lane, int64_t now_ms, tw_start *starts);
/* When all lanes have adopted: what starts anew begins, what waited for the old rules and waits no more is judged,
 * and what is due by the clocks of the new rules fires. */
void tw_lane_rules_begin(tw_lane *lane, tw_lane_rules *old, const tw_start *starts);

/* Tells rules that expect the keys of a table what these are now. Paused. */
void tw_lane_rules_expect(tw_lane_rules *rules, uint32_t rule, tw_expected *set,
                          const tw_start *starts);

/* One turn: rings, then up to one batch of each feed. Returns how much was done (0:
 * nothing). */
uint32_t tw_lane_turn(tw_lane *lane);
/* Handles what cut batches have left. */
void tw_lane_finish(tw_lane *lane);
/* Handles one frame as if polled (replay, tests). */
void tw_lane_frame(tw_lane *lane, const tw_stream *stream, uint32_t source,
                   int32_t partition, const tw_frame *frame, uint64_t seq);
/* Reads the rings of other lanes; true when anything was there. */
bool tw_lane_drain(tw_lane *lane);
/* Publishes what waits in the outgoing rings and tells other lanes the clocks. */
void tw_lane_flush(tw_lane *lane);
/* Moves all clocks to now; deadlines fire. */
void tw_lane_tick(tw_lane *lane, int64_t now_ms);
/* Input has ended: clocks of rules of this rank go to the newest event and everything due then
 * fires (inclusive). */
void tw_lane_end(tw_lane *lane, uint32_t rank);
/* Everything the lane knows as bytes, and into one that is new and has its rules (paused): partition clocks,
 * clocks of rules, waiting events, detectors. TW_EUNSUPPORTED when a detector cannot be saved yet;
 * TW_EPARSE for bytes that no save wrote: the lane is to be freed then. (lane_state.c) */
int tw_lane_save(const tw_lane *lane, tw_buf *out, tw_err *err);
int tw_lane_load(tw_lane *lane, tw_state_in *in, tw_err *err);
/* Registers a partition on this lane's clocks (paused, on every lane). */
void tw_lane_partition_add(tw_lane *lane, uint32_t stream, uint32_t source,
                           int32_t partition, int64_t now_ms);
void tw_lane_partition_remove(tw_lane *lane, uint32_t stream, uint32_t source,
                              int32_t partition);

#endif
