// SPDX-License-Identifier: Apache-2.0
/* A silence: for a while nobody is told of incidents whose labels match. Plain data and its reading
 * from JSON; which incidents it mutes is decided in marks.c. Shore thread only.
 *
 *     {"id": "s1", "match": {"service": "cart", "zone": {"matches": "eu-.*"}} or
 *                           ["service=cart", "zone=~eu-.*", "team!=core", "env!~test.*"],
 *      "from": ms or RFC 3339 (absent: at once), "until": the same, or "for": "2h",
 *      "by": "ann", "comment": "..."}
 *
 * Matchers: see matchers.h. */
#ifndef TW_ALERT_SILENCE_H
#define TW_ALERT_SILENCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "alert/matchers.h"

typedef struct tw_silence {
    char *id, *by, *comment;
    tw_label_matchers match;
    int64_t from_ms, until_ms; /* from TW_TIME_NONE: since ever */
} tw_silence;

/* From an order as above. NULL with err in the user's words. */
tw_silence *tw_silence_new(const json_t *order, int64_t now_ms, tw_err *err);
void tw_silence_free(void *silence);
/* label: the value of a label, or NULL. */
bool tw_silence_matches(const tw_silence *s,
                        const char *(*label)(const void *of, const char *name),
                        const void *of);
/* As it can be read back. state: "pending", "active" or "expired" at this time. New reference. */
json_t *tw_silence_json(const tw_silence *s, int64_t now_ms);

#endif
