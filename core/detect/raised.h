// SPDX-License-Identifier: Apache-2.0
/* Keys of a rule with `resolve.on` that may hold an incident open: an event of that input is told to the shore for
 * these alone, since most events of such an input end nothing. Bounded by the rule's max_keys; with more of them at once,
 * or when it cannot know, every key may. One lane's thread. */
#ifndef TW_DETECT_RAISED_H
#define TW_DETECT_RAISED_H

#include "base/err.h"
#include "flow/signal.h"
#include "state/bytes.h"

typedef struct tw_raised tw_raised;

tw_raised *tw_raised_new(uint32_t max_keys);
void tw_raised_free(tw_raised *r);
/* The rule told this. */
void tw_raised_note(tw_raised *r, const tw_signal *s);
/* Whether an end of this key at that time may end anything. It has ended then. What was raised later it leaves. */
bool tw_raised_end(tw_raised *r, const tw_key *key, int64_t at_ms);
/* Takes over what `old` knew; old is empty afterwards. NULL: nobody looked. */
void tw_raised_adopt(tw_raised *r, tw_raised *old);
void tw_raised_save(const tw_raised *r, tw_buf *out);
int tw_raised_load(tw_raised *r, tw_state_in *in, tw_err *err);
uint32_t tw_raised_count(const tw_raised *r);

#endif
