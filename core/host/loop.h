// SPDX-License-Identifier: Apache-2.0
/* The shore's event loop: libuv behind a few verbs. Everything runs on the thread that
 * runs the loop, except tw_loop_post. Callbacks never block. A watch is ended by
 * tw_watch_end and freed by the loop when libuv has let go of it; its callback is never
 * called after that. */
#ifndef TW_HOST_LOOP_H
#define TW_HOST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

typedef struct tw_loop tw_loop;
typedef struct tw_watch tw_watch; /* the same name plugins see */

tw_loop *tw_loop_new(tw_err *err);
void tw_loop_free(tw_loop *l); /* ends what is left, runs the close callbacks */
void tw_loop_run(tw_loop *l);  /* until tw_loop_stop */
bool tw_loop_turn(tw_loop *l, bool wait); /* one iteration; for tests and drains */
void tw_loop_stop(tw_loop *l);            /* from a callback */

int tw_loop_post(tw_loop *l, void (*fn)(void *arg),
                 void *arg); /* any thread; order kept */

/* Watches are NULL where the system refuses (a descriptor that cannot be polled, no handles left).
 * events: 1 readable, 2 writable. An error of the descriptor is told as ready. */
tw_watch *tw_loop_fd(tw_loop *l, int fd, int events,
                     void (*ready)(void *arg, int fd, int events), void *arg);
void tw_watch_change(tw_watch *w, int events);
tw_watch *tw_loop_timer(tw_loop *l, int64_t after_ms, int64_t repeat_ms,
                        void (*due)(void *arg), void *arg);
void tw_watch_timer_again(tw_watch *w, int64_t after_ms, int64_t repeat_ms);
/* Something in a folder (not below it) was made, changed, renamed or removed. NULL: cannot watch. */
tw_watch *tw_loop_folder(tw_loop *l, const char *path, void (*changed)(void *arg),
                         void *arg);
tw_watch *tw_loop_signal(tw_loop *l, int signum, void (*caught)(void *arg, int signum),
                         void *arg);
void tw_watch_end(tw_watch *w); /* NULL is fine */

#endif
