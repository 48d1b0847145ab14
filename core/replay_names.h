// SPDX-License-Identifier: Apache-2.0
/* The names of the fields that a stream's events have, as far as the first of them show: what a field that no event
 * has may have been meant to be. Caller's thread. */
#ifndef TW_REPLAY_NAMES_H
#define TW_REPLAY_NAMES_H

#include <stddef.h>

typedef struct tw_replay_names tw_replay_names;

tw_replay_names *tw_replay_names_new(void);
void tw_replay_names_free(tw_replay_names *n);
/* A record: an event, or an array of them. What is no JSON has no names, and neither have records behind the first
 * hundred. */
void tw_replay_names_take(tw_replay_names *n, const void *data, size_t size);
/* The dotted name that is spelt most like path; NULL: none is. Borrowed. */
const char *tw_replay_names_nearest(const tw_replay_names *n, const char *path);

#endif
