// SPDX-License-Identifier: Apache-2.0
/* A silence: for a while nobody is told of incidents whose labels match. Plain data and its reading
 * from JSON; which incidents it mutes is decided in marks.c. Shore thread only.
 *
 *     {"id": "s1", "match": {"service": "cart", "zone": {"matches": "eu-.*"}} or
 *                           ["service=cart", "zone=~eu-.*", "team!=core", "env!~test.*"],
 *      "from": ms or RFC 3339 (absent: at once), "until": the same, or "for": "2h",
 *      "by": "ann", "comment": "..."}
 *
 * Matchers are Alertmanager's: all must hold, patterns match the whole value, and a label that is
 * absent is empty. */
#ifndef TW_ALERT_SILENCE_H
#define TW_ALERT_SILENCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "flow/text_pattern.h"

typedef struct tw_label_matcher {
    char *name, *value;
    tw_text_pattern *pattern; /* =~ and !~; else NULL */
    bool is_negative;         /* != and !~ */
} tw_label_matcher;

typedef struct tw_silence {
    char *id, *by, *comment;
    tw_label_matcher *matchers;
    uint32_t matcher_count;
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
