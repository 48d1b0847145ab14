// SPDX-License-Identifier: Apache-2.0
/* `throttle` of `to{}`: how many events a rule may emit of a key. A period begins with the first event
 * that goes out and takes `max`; what comes within `per` of that beyond them does not go out. An event
 * that is older than the period counts in it. Beyond `max_keys` of the rule the oldest period is forgotten.
 * One lane's thread. */
#ifndef TW_DETECT_THROTTLE_H
#define TW_DETECT_THROTTLE_H

#include "base/err.h"
#include "flow/plan_emit.h"
#include "flow/plan.h"
#include "state/bytes.h"

typedef struct tw_throttle tw_throttle;

tw_throttle *tw_throttle_new(const tw_rule *rule); /* borrowed; it has a throttle */
void tw_throttle_free(tw_throttle *t);

/* Whether an event of that key may go out now, which then counts. clock_ms: of the rule, may be
 * TW_TIME_NONE; periods that are over for long are forgotten by it. */
bool tw_throttle_takes(tw_throttle *t, const tw_key *key, int64_t time_ms,
                       int64_t clock_ms);
/* After one was refused: nobody was told since the rule began to hold back, `per` without a refusal
 * ends that. */
bool tw_throttle_is_news(tw_throttle *t, int64_t time_ms);
/* Takes over what `old` knew; old is empty afterwards. */
void tw_throttle_adopt(tw_throttle *t, tw_throttle *old);
void tw_throttle_save(const tw_throttle *t, tw_buf *out);
int tw_throttle_load(tw_throttle *t, tw_state_in *in, tw_err *err);
uint32_t tw_throttle_count(const tw_throttle *t);

#endif
