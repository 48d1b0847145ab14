// SPDX-License-Identifier: Apache-2.0
/* One generation of rules, compiled for the lanes: which fields each stream's events
 * need, which rules see an event, and which rules share a clock. Built on the shore
 * beside the running one, immutable afterwards but for where time begins, shared by all lanes,
 * swapped in as one pointer. */
#ifndef TW_RULESET_H
#define TW_RULESET_H

#include <stdatomic.h>

#include "context/change.h"
#include "decode/decode.h"
#include "route/router.h"
#include "rule/rules.h"
#include "watermark.h"

/* What outlives rule sets: numbers of tracks, and projections, which events that wait for
 * their turn still point to after a switch. Equal projections are one. */
typedef struct tw_ground {
    tw_tracks tracks;
    tw_projection **projections;
    uint32_t projection_count;
} tw_ground;

void tw_ground_init(tw_ground *g);
void tw_ground_done(tw_ground *g);

/* What is read of a stream for the memory of changes, beside what rules read of it: such a frame is decoded twice. */
typedef struct tw_remembered_plan {
    tw_change_fields *fields;
    const tw_projection *projection; /* of the ground */
    tw_decode_plan *decode;
} tw_remembered_plan;

/* A stream as this generation reads it. */
typedef struct tw_stream_plan {
    const tw_projection
        *projection; /* NULL: no rule reads this stream; frames are counted and let go */
    tw_decode_plan *decode;
    tw_router *router;
    uint32_t *tracks; /* track numbers observed for each event, the stream's own first */
    uint32_t track_count;
    tw_remembered_plan *changes; /* NULL: its events are no changes */
} tw_stream_plan;

/* A stream that rules of this set emit and rules of it read. On each lane its clock is the earliest of
 * those of the rules that emit it. */
typedef struct tw_derived {
    const tw_stream *stream;
    uint32_t track;
    uint32_t *domains; /* of the rules that emit it */
    uint32_t domain_count;
} tw_derived;

typedef struct tw_ruleset {
    uint64_t generation;
    tw_rule_files *files;
    tw_rule **rules; /* sorted by name */
    uint32_t rule_count;
    uint32_t *rule_domain; /* by rule */
    bool *
        rule_ordered; /* by rule: it reads what rules emit, and so all in order of time */
    tw_domain_spec *domains; /* by rank: who emits before who reads it */
    uint32_t domain_count;
    /* By domain: where time has begun, TW_TIME_NONE: not yet. The lane that knows first says it for all. */
    _Atomic int64_t *begins;
    uint32_t rank_count; /* at least 1 */
    tw_derived *derived;
    uint32_t derived_count;
    uint32_t *derived_tracks; /* the same, their tracks alone */
    tw_stream_plan *streams;  /* by stream id */
    uint32_t stream_count;
} tw_ruleset;

/* Takes its own references of files and rules. ground grows (shore). */
tw_ruleset *tw_ruleset_new(tw_rule_files *files, const tw_streams *streams,
                           tw_ground *ground, uint64_t generation, tw_err *err);
void tw_ruleset_free(tw_ruleset *set);
/* Whether a rule of it emits that stream. */
bool tw_ruleset_emits(const tw_ruleset *set, const tw_stream *stream);
/* Number of the rule with that name, or -1. */
int64_t tw_ruleset_find(const tw_ruleset *set, const char *name);
/* Number of the rule of `old` that goes on as `fresh`: that of its name, else of a name it had; or -1. */
int64_t tw_ruleset_before(const tw_ruleset *old, const tw_rule *fresh);

/* ruleset_changes.c: NULL for a stream of no changes. */
tw_remembered_plan *tw_remembered_plan_new(const tw_ruleset *set, const tw_stream *stream,
                                           tw_ground *ground);
void tw_remembered_plan_free(tw_remembered_plan *plan);
/* ruleset.c: takes p; what is equal is one. */
const tw_projection *tw_ground_intern(tw_ground *g, tw_projection *p);

#endif
