// SPDX-License-Identifier: Apache-2.0
/* `dedup`: which events of a rule were there before. One first appearance is kept for each value of
 * the fields in `by` under each key of the rule, until the rule's clock has passed it by `within`; a
 * repeat does not prolong that. Beyond `max` on a lane the oldest go, and a repeat of theirs counts as new.
 * One lane's thread. */
#ifndef TW_DETECT_DEDUP_H
#define TW_DETECT_DEDUP_H

#include "base/err.h"
#include "flow/plan.h"
#include "state/bytes.h"

typedef struct tw_dedup tw_dedup;

tw_dedup *tw_dedup_new(const tw_dedup_plan *plan); /* borrowed: it lives in the rule */
void tw_dedup_free(tw_dedup *d);

/* True: it is a repeat. Else it is kept as the first, unless it lacks a field of `by`. clock_ms may be
 * TW_TIME_NONE. */
bool tw_dedup_is_repeat(tw_dedup *d, const tw_key *key, uint32_t input,
                        const tw_event *ev, int64_t time_ms, int64_t clock_ms);
/* Both rules tell repeats by the same fields, so what one knows is good for the other. */
bool tw_dedup_same_by(const tw_rule *fresh, const tw_rule *old);
/* Takes over what `old` knew; old is empty afterwards. Of another number of fields: nothing. */
void tw_dedup_adopt(tw_dedup *d, tw_dedup *old);
void tw_dedup_save(const tw_dedup *d, tw_buf *out);
int tw_dedup_load(tw_dedup *d, tw_state_in *in, tw_err *err);
uint32_t tw_dedup_count(const tw_dedup *d);

#endif
