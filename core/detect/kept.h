// SPDX-License-Identifier: Apache-2.0
/* Events that a key keeps while they wait for others: a half-made match, one side of a join, the
 * value before a change. Of an event only what the rule reads later is kept (rule->kept), so a
 * match costs tens of bytes and not a record. Thread: one lane; the owner gives a kept event back
 * to the slab it came from. A zeroed tw_kept is no event. */
#ifndef TW_DETECT_KEPT_H
#define TW_DETECT_KEPT_H

#include "detect/carry.h"
#include "flow/script.h"
#include "flow/signal.h"
#include "state/bytes.h"

typedef struct tw_kept {
    int64_t time_ms;
    uint64_t seq;
    tw_origin origin;
    uint32_t input;
    bool is_there;
    tw_carried *fields; /* NULL when the rule keeps none */
} tw_kept;

/* Keeps ev in place of what `to` held. */
void tw_kept_put(tw_kept *to, tw_slab *slab, const tw_rule *rule, uint32_t input,
                 const tw_event *ev, int64_t time_ms);
/* A second one of the same; `from` stays. */
void tw_kept_copy(tw_kept *to, tw_slab *slab, const tw_kept *from);
void tw_kept_give(tw_kept *k, tw_slab *slab); /* k is no event afterwards */

/* As functions and signals see it. rule->kept_count values; all absent for no event. */
tw_kept_view tw_kept_see(const tw_kept *k, const tw_rule *rule);

/* Where each field that a rule keeps was before it was edited. */
typedef struct tw_kept_change {
    bool same; /* nothing to do */
    uint32_t count, old_count;
    int from[TW_MAX_KEPT]; /* -1: it was not kept */
} tw_kept_change;
tw_kept_change tw_kept_change_of(char *const *old_names, uint32_t old_count,
                                 const tw_rule *rule);
/* What the event was kept with by the old rule, in the new one's places. */
void tw_kept_follow(tw_kept *k, tw_slab *slab, const tw_kept_change *change);
/* The names of what a rule keeps, before the events of a saved state: templates may differ when it is
 * loaded. */
void tw_kept_names_save(const tw_rule *rule, tw_buf *out);
bool tw_kept_names_load(tw_state_in *in, const tw_rule *rule, tw_kept_change *out);

/* Streams are written by number: a state is read by the process that wrote it, or by one that made its
 * streams of the same configuration. */
void tw_kept_save(const tw_kept *k, tw_buf *out);
/* change: what tw_kept_names_load found at the head of the state. */
bool tw_kept_load(tw_kept *k, tw_slab *slab, const tw_kept_change *change,
                  tw_state_in *in);

#endif
