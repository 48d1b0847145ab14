// SPDX-License-Identifier: Apache-2.0
/* Watches files and folders and says "something changed", at most once per quiet time.
 * Folders are watched (also the folder a file lies in), since editors and mounted
 * ConfigMaps replace files and swap symbolic links; a poll of the content's hash every
 * few seconds stands behind it for systems where the notifications run out. Shore thread.
 */
#ifndef TW_HOST_WATCH_H
#define TW_HOST_WATCH_H

#include <stddef.h>

#include "host/loop.h"

typedef struct tw_file_watch tw_file_watch;

/* quiet_ms: how long nothing must change before `changed` is called (200); poll_ms: 5000.
 * `changed` may free it. */
tw_file_watch *tw_file_watch_new(tw_loop *l, const char *const *paths, size_t count,
                                 int64_t quiet_ms, int64_t poll_ms,
                                 void (*changed)(void *arg), void *arg);
void tw_file_watch_free(tw_file_watch *w);

#endif
