// SPDX-License-Identifier: Apache-2.0
/* How a lane emits: what its rules find becomes events of derived streams, which its own rules or those
 * of other lanes read. Internal to lane*.c.
 *
 * What was emitted waits in a queue of the lane until the detector that told it has returned; then it
 * is decoded, routed and judged or sent like any other event. How far the rules that emit have come is
 * told behind it, so whoever hears that nothing before a time is still to come has everything. */
#ifndef TW_LANE_EMIT_H
#define TW_LANE_EMIT_H

#include "lane.h"

typedef struct tw_lane_emitter tw_lane_emitter;

tw_lane_emitter *tw_lane_emitter_new(const tw_decode_limits *limits);
void tw_lane_emitter_free(tw_lane_emitter *em);

/* The signal port of an instance. */
void tw_instance_on_signal(void *instance, const tw_signal *s);
/* The rows it looked up in are let go of. */
void tw_instance_rows_done(tw_instance *inst);
/* Hands out what waits in the queue, then moves the lane's own clocks of derived streams. */
void tw_lane_settle(tw_lane *lane);
/* Of derived streams that a clock reads: nothing is to be expected of the rules that emit them either. */
bool tw_lane_derived_idle(const tw_lane *lane, const tw_domain_spec *spec);
/* How many events it has emitted, which orders those of one instant; and from where it goes on. */
uint32_t tw_lane_emitted(const tw_lane *lane);
void tw_lane_emits_from(tw_lane *lane, uint32_t number);
/* Nothing is handed out for a while: the shore stands in for the lane, and others still have the rules
 * from before. */
void tw_lane_hold(tw_lane *lane, bool hold);
/* Every lane has a partition of every derived stream; called when the rule set has changed. */
void tw_lane_derive(tw_lane *lane);

#endif
