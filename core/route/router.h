// SPDX-License-Identifier: Apache-2.0
/* Which inputs of which rules see an event: all matchers of all rules of one stream
 * compiled into one index, so that an event costs what the matching rules cost and not
 * what the loaded rules cost. Each input is filed under its most selective exact
 * condition (EQ or ONEOF on a field); per indexed field one hash look-up finds the
 * candidates; prefixes and ranges have their own structures where they pay; inputs with
 * no such condition are tried always. Candidates are then checked in full.
 *
 * Immutable; built on the shore, shared by lanes. Results come in ascending (rule, input)
 * order. */
#ifndef TW_ROUTE_ROUTER_H
#define TW_ROUTE_ROUTER_H

#include "flow/event.h"
#include "flow/plan.h"

typedef struct tw_route_target {
    uint32_t rule;  /* the number the caller gave */
    uint32_t input; /* number within the rule */
} tw_route_target;

typedef struct tw_router tw_router;
typedef struct tw_router_builder tw_router_builder;

tw_router_builder *tw_router_builder_new(void);
/* match may be NULL (every event); borrowed, must outlive the router. */
void tw_router_builder_add(tw_router_builder *b, const tw_match_table *match,
                           tw_route_target target);
tw_router *tw_router_build(tw_router_builder *b); /* frees b */
void tw_router_free(tw_router *r);

/* The targets that match ev: borrowed, valid until the next call with the same scratch.
 */
typedef struct tw_route_scratch tw_route_scratch; /* one a lane */
tw_route_scratch *tw_route_scratch_new(void);
void tw_route_scratch_free(tw_route_scratch *s);
uint32_t tw_router_match(const tw_router *r, const tw_event *ev, tw_route_scratch *s,
                         const tw_route_target **out);

uint32_t tw_router_target_count(const tw_router *r);

#endif
