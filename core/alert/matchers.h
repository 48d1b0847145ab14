// SPDX-License-Identifier: Apache-2.0
/* Which incidents somebody means, by their labels: Alertmanager's matchers, in a silence and in a listing. All must
 * hold, patterns match the whole value, and a label that is absent is empty. Plain data; any thread.
 *
 *     {"service": "cart", "zone": {"matches": "eu-.*"}} or ["service=cart", "zone=~eu-.*", "team!=core"] */
#ifndef TW_ALERT_MATCHERS_H
#define TW_ALERT_MATCHERS_H

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

typedef struct tw_label_matchers {
    tw_label_matcher *items;
    uint32_t count;
} tw_label_matchers;

/* Into a new list; empty with err in the user's words. */
int tw_label_matchers_read(tw_label_matchers *out, json_t *match, tw_err *err);
void tw_label_matchers_done(tw_label_matchers *m);
/* label: the value of a label, or NULL. */
bool tw_label_matchers_hold(const tw_label_matchers *m,
                            const char *(*label)(const void *of, const char *name),
                            const void *of);
/* Whether something without labels is left out. */
bool tw_label_matchers_need_a_label(const tw_label_matchers *m);
/* As they are written in a list. New reference. */
json_t *tw_label_matchers_json(const tw_label_matchers *m);

#endif
