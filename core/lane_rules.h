// SPDX-License-Identifier: Apache-2.0
/* How a lane judges: the instances of its rules, their clocks and deadlines, and what it says to others. Internal to
 * lane*.c. */
#ifndef TW_LANE_RULES_H
#define TW_LANE_RULES_H

#include "lane.h"

/* An event of a key this lane owns reaches its rule (at once, or through the reorder
 * buffer). */
void tw_instance_judge(tw_lane *lane, tw_instance *inst, const tw_key *key,
                       uint32_t input, const tw_event *ev, int64_t time_ms);
/* The rule's clock is there: what waited for it is judged, deadlines before it (inclusive: at it, too) fire. */
void tw_instance_advance(tw_lane *lane, tw_instance *inst, int64_t clock_ms,
                         bool inclusive);
/* What waits for the clock of an older version is judged now, in its order, by one that lets nothing wait. clock_ms:
 * its own clock, which may be behind what waits. */
void tw_instance_judge_all(tw_lane *lane, tw_instance *inst, tw_reorder *waiting,
                           const tw_rule *of, int64_t clock_ms);
/* The event's time by a rule's own field or bound; false: it has no such field. */
bool tw_lane_own_time(const tw_lane *lane, const tw_event *ev, uint32_t slot,
                      int64_t future_ms, int64_t *out_ms, bool *out_clamped);
/* Each of these rules, whose matchers hold, gets the event, on the lane that owns its key. */
void tw_lane_meet(tw_lane *lane, const tw_event *ev, const tw_route_target *targets,
                  uint32_t n);
/* Every rule that the event matches gets it; scratch is the caller's. */
void tw_lane_route(tw_lane *lane, const tw_stream *stream, tw_route_scratch *scratch,
                   const tw_event *ev);
/* The guarded input of its rule was heard, on whichever lane. */
void tw_instance_heard(tw_lane *lane, tw_instance *inst, int64_t from_ms, int64_t to_ms);
/* A matched event goes to the lane that owns its key. */
void tw_lane_send_event(tw_lane *lane, uint32_t to, const tw_route_target *target,
                        const tw_key *key, const tw_event *ev, int64_t time_ms);
/* The input of a source guard was heard: all lanes hear of it before the clock of the partition is reported, times
 * that lie close together as one span. */
void tw_lane_note_heard(tw_lane *lane, uint32_t rule, tw_instance *inst, int64_t time_ms);
/* Where time begins for the rules of a clock, not after time_ms: what the first lane that asked knew of it. */
int64_t tw_domain_begins(tw_lane *lane, uint32_t number, int64_t time_ms);
/* Time begins for the operator, if it has not. */
void tw_instance_begin(tw_instance *inst, int64_t time_ms);
/* Nothing waits for that any more. clock_ms: the rule's. */
void tw_instance_begun(tw_lane *lane, tw_instance *inst, int64_t clock_ms);
/* Recomputes the clocks of the domains that read any of these tracks; NULL: of all. */
void tw_domains_update(tw_lane *lane, const uint32_t *tracks, uint32_t track_count,
                       int64_t now_ms);
/* What is due by the clocks as they are: of rules that came under a clock that was further. */
void tw_domains_fire(tw_lane *lane);
void tw_domains_end(tw_lane *lane, uint32_t rank);
/* After the instance's state has changed from outside: its place in the heap of what is due. */
void tw_instance_due(tw_domain *d, tw_instance *inst);
/* The feed has run ahead of slower partitions of its stream and waits for them. */
bool tw_feed_is_held(tw_lane *lane, const tw_feed_state *feed, int64_t now_ms);

#endif
