// SPDX-License-Identifier: Apache-2.0
/* The inside of tw_engine, for engine*.c only. */
#ifndef TW_ENGINE_IMPL_H
#define TW_ENGINE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine.h"
#include "park.h"

/* One of four things on its way to the shore. */
typedef struct tw_told {
    tw_signal *signal;
    tw_bad_frame *bad;
    tw_late_event *late;
    tw_emitted *emitted;
    uint64_t order;
} tw_told;

struct tw_engine {
    tw_engine_options options;
    tw_lane **lanes;
    uint32_t lane_count; /* at least 1 */
    bool threads;
    tw_ruleset *rules;
    tw_ground ground;
    tw_park park;
    uint64_t generation;
    tw_table_view *tables;
    uint64_t tables_generation;
    bool
        one; /* the shore does the lanes' work: at the end, and while rules are switched */
    _Atomic bool sources_held;
    tw_context *context;
    tw_context_port context_port;

    /* the pause */
    pthread_mutex_t mutex;
    pthread_cond_t parked_all, resumed;
    _Atomic bool pause_wanted, stop_wanted;
    _Atomic bool may_cut; /* of the pause that is wanted; set before it is */
    _Atomic uint32_t flushed;
    uint32_t parked;
    uint64_t resumes;
    bool paused;

    /* what lanes tell the shore */
    pthread_mutex_t told_mutex;
    tw_told *told;
    uint32_t told_count, told_cap;
    _Atomic uint32_t told_waiting;

    /* one step of an engine in step */
    struct {
        const tw_stream *stream;
        uint32_t source;
        int32_t partition;
        const tw_frame *frame;
        uint32_t lane;
    } step;
    _Atomic uint64_t steps;
    uint64_t seq;
};

/* engine_emitted.c */
/* Paused. What was read before; the caller lets it go when the lanes go on. */
tw_table_view *tw_engine_put_tables(tw_engine *e, tw_table_view *view);
void tw_engine_tell(tw_engine *e, tw_told what); /* engine.c; any lane */
void tw_emitted_free(tw_emitted *e);
int tw_emitted_compare(const tw_emitted *a, const tw_emitted *b);

/* engine.c. Paused: what rules of one rank emitted reaches those of the next. */
void tw_engine_exchange(tw_engine *e);

/* engine_switch.c. Paused: rules that expect the keys of a table get those it has now. */
void tw_engine_expect_keys(tw_engine *e);

/* engine_context.c */
void tw_engine_save_context(const tw_engine *e, tw_buf *out);
int tw_engine_load_context(tw_engine *e, tw_state_in *in, tw_err *err);

/* engine_pause.c */
void tw_lane_main(tw_lane *lane); /* body of a lane's thread */
/* As tw_engine_pause, but lanes may leave the rest of a batch for afterwards. */
void tw_engine_pause_soon(tw_engine *e);

#endif
