// SPDX-License-Identifier: Apache-2.0
/* What a detector told, as a line of the replay: the raw signal before incidents make anything of
 * it. Rules are tried with it, and models compare with it. Pure. */
#ifndef TW_REPLAY_SIGNAL_H
#define TW_REPLAY_SIGNAL_H

#include <jansson.h>

#include "engine.h"

/* at, type "signal", rule, key, kind, from, level, and of start, stop, values, facts, roles, approx
 * and reason those that the signal has. A new reference. */
json_t *tw_replay_signal(const tw_signal *s);
/* What a rule emitted, as a line and as one for people; its JSON is written as it is. Caller frees. */
char *tw_replay_emitted(const tw_emitted *e);
char *tw_replay_emitted_text(const tw_emitted *e);
json_t *tw_replay_emitted_json(const tw_emitted *e); /* a new reference */

#endif
