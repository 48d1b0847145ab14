// SPDX-License-Identifier: Apache-2.0
/* How a lane sleeps and is woken: an eventfd. Waking is cheap, may come from any thread
 * (or from a library that writes 8 bytes into the descriptor), and is never lost. */
#ifndef TW_HOST_WAKE_H
#define TW_HOST_WAKE_H

#include <stdint.h>

#include "base/err.h"

typedef struct tw_wake tw_wake;

tw_wake *tw_wake_new(tw_err *err);
void tw_wake_free(tw_wake *w);
int tw_wake_fd(const tw_wake *w);
void tw_wake_ring(tw_wake *w);                     /* any thread */
void tw_wake_wait(tw_wake *w, int64_t timeout_ms); /* the owner; drains the descriptor */

#endif
