// SPDX-License-Identifier: Apache-2.0
/* Where the shore puts the rows of a table that changes while lanes read it. Nobody is stopped: the shore
 * publishes a whole new set of rows, a lane that wants some looks whether the version is still the one it holds
 * (one atomic read) and takes the new ones under a lock of a few instructions when not. Until then it reads
 * on in those it holds, which never change. So within one emitted event all look-ups of a table see one
 * state of it, and what was published is seen by the next one. */
#ifndef TW_FLOW_ROWS_LIVE_H
#define TW_FLOW_ROWS_LIVE_H

#include "flow/rows.h"

typedef struct tw_live_rows tw_live_rows;

tw_live_rows *tw_live_rows_new(void); /* of nothing, version 0 */
tw_live_rows *tw_live_rows_ref(tw_live_rows *live);
void tw_live_rows_unref(tw_live_rows *live);
/* Shore; takes rows. */
void tw_live_rows_publish(tw_live_rows *live, tw_rows *rows);
/* Shore: those published last, borrowed until the next. NULL: none yet. */
const tw_rows *tw_live_rows_now(const tw_live_rows *live);
/* Any thread. */
uint64_t tw_live_rows_version(const tw_live_rows *live);
tw_rows *tw_live_rows_take(tw_live_rows *live, uint64_t *out_version); /* a reference */

#endif
