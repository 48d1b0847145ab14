// SPDX-License-Identifier: Apache-2.0
/* The waiting room of a rule with `lateness`: matched events of this lane's keys, copied, until the
 * rule's clock reaches them; then they leave in order of (time, input, partition, offset, index).
 * Bounded by events; lane thread only. */
#ifndef TW_DETECT_REORDER_H
#define TW_DETECT_REORDER_H

#include "flow/event.h"
#include "flow/key.h"
#include "flow/plan.h"

typedef struct tw_reorder tw_reorder;

typedef struct tw_reorder_port {
    void (*release)(void *self, const tw_key *key, uint32_t input, const tw_event *ev,
                    int64_t time_ms);
    void *self;
} tw_reorder_port;

tw_reorder *tw_reorder_new(tw_slab *slab,
                           uint32_t max_events); /* slab of the lane, borrowed */
void tw_reorder_free(tw_reorder *r);
/* The caller has already seen that time_ms is not behind the clock. TW_EFULL: the oldest must leave
 * first (release up to tw_reorder_next, then put again). */
int tw_reorder_put(tw_reorder *r, const tw_key *key, uint32_t input, const tw_event *ev,
                   int64_t time_ms);
/* Releases every event with time < clock_ms (all with time <= clock_ms when `inclusive`). The port may
 * not put. */
void tw_reorder_release(tw_reorder *r, int64_t clock_ms, bool inclusive,
                        const tw_reorder_port *port);
/* Takes over what waits in old, a version of the same rule: inputs may have other numbers, and events of one that
 * is gone are dropped. */
void tw_reorder_adopt(tw_reorder *r, const tw_rule *fresh, tw_reorder *old,
                      const tw_rule *old_rule);
/* Shows every event that waits, in no order; the port's function must leave them. */
void tw_reorder_visit(const tw_reorder *r, const tw_reorder_port *port);
int64_t
tw_reorder_next(const tw_reorder *r); /* time of the earliest; INT64_MAX when empty */
uint32_t tw_reorder_count(const tw_reorder *r);

#endif
