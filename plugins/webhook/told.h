// SPDX-License-Identifier: Apache-2.0
/* What a receiver of Alertmanager's form was told of each incident that fires. `severity` is a label,
 * so a level that rises makes another alert of the same incident: the one that the receiver knows has
 * to end in the same message, or it would stand there for ever. Memory only; shore thread. */
#ifndef TW_WEBHOOK_TOLD_H
#define TW_WEBHOOK_TOLD_H

#include <jansson.h>

#include "tidewatch.h"

typedef struct told {
    json_t *alerts; /* incident -> its firing alert as it was sent, the oldest first */
} told;

void told_init(told *t);
void told_done(told *t);
/* The alert of this incident that fires at the receiver, or NULL. Borrowed. */
json_t *told_of(const told *t, const char *incident);
/* The receiver has taken this alert of the record, which fires; NULL: it has taken the end. */
void told_put(told *t, const char *incident, json_t *alert);

#endif
