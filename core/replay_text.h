// SPDX-License-Identifier: Apache-2.0
/* A line of the replay output for people. */
#ifndef TW_REPLAY_TEXT_H
#define TW_REPLAY_TEXT_H

#include <jansson.h>

/* Time, what happened, level, rule, title, labels. Control characters of what came from outside are
 * replaced. The caller frees it (tw_free). */
char *tw_replay_text(const json_t *line);

#endif
