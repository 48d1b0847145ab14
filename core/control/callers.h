// SPDX-License-Identifier: Apache-2.0
/* The open connections of the control server, those that have waited longest for a whole request first.
 * When they are too many the first is cut, so whoever opens connections and says nothing on them, or one
 * byte a second, keeps nobody else out. Owned by the control; shore thread. */
#ifndef TIDEWATCH_CONTROL_CALLERS_H
#define TIDEWATCH_CONTROL_CALLERS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct tw_caller tw_caller;

typedef struct tw_callers {
    tw_caller *first, *last;
    uint32_t count, most;
} tw_callers;

/* Freed by left. True when another one was cut for it: its descriptor is shut down and will be closed by
 * the server, which says left. */
bool tw_callers_came(tw_callers *callers, int fd, tw_caller **out);
/* A request of it has been answered. */
void tw_callers_served(tw_callers *callers, tw_caller *caller);
void tw_callers_left(tw_callers *callers, tw_caller *caller);

#endif
