// SPDX-License-Identifier: Apache-2.0
/* Why a replay told nothing, or less than was thought: what events, rules and fields did not meet.
 * Filled as lines are fed, written for people at the end. Caller's thread. */
#ifndef TW_REPLAY_NOTES_H
#define TW_REPLAY_NOTES_H

#include <stdio.h>

#include "engine.h"

typedef struct tw_replay_notes tw_replay_notes;

tw_replay_notes *tw_replay_notes_new(const tw_decode_limits *limits);
void tw_replay_notes_free(tw_replay_notes *n);
/* Looks at a frame as the rule set that is about to judge it reads it. */
void tw_replay_notes_take(tw_replay_notes *n, const tw_ruleset *set,
                          const tw_stream *stream, const tw_frame *frame);
/* A line each, nothing when all is as one would expect: every event was read by a rule, every rule
 * had events, and `lines` of output came of them. */
void tw_replay_notes_write(const tw_replay_notes *n, const tw_engine *e,
                           const tw_streams *streams, size_t lines, FILE *out);

#endif
