// SPDX-License-Identifier: Apache-2.0
/* What a person is told: one incident's state at one time, addressed to one route. Made by the
 * incident stage on the shore, delivered by sinks; immutable, counted (shore thread only). */
#ifndef TW_FLOW_NOTIFICATION_H
#define TW_FLOW_NOTIFICATION_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"
#include "flow/plan.h"

typedef struct tw_notification {
    uint32_t refs;
    int64_t at_ms; /* rule clock's time of the decision */
    uint64_t seq;
    bool resolved;  /* else firing */
    tw_level level; /* of a resolve: the highest that was told */
    char *rule, *version, *incident, *route, *title, *body;
    char *id; /* incident + episode, the same for every message of one firing */
    char *
        episode_id; /* id of this very message: rule, key, episode, status, level (hex) */
    int64_t starts_at_ms, ends_at_ms; /* ends TW_TIME_NONE while firing */
    json_t *labels;   /* string to string; at least the key fields, plus rule, severity */
    json_t *values;   /* detector result, numbers or null */
    json_t *evidence; /* list */
    json_t *enrich;   /* look-ups used */
    json_t *changes;  /* list of what changed before, oldest first; NULL: nothing known */
    char *reason;     /* of a resolve, or NULL */
    uint64_t stands_for; /* incidents, or (storm) alerts, that it speaks for; 1 */
    bool storm;          /* a summary: more than the rule's storm.max */
    bool flapping;
    bool reminder;
    json_t *group; /* {"labels", "firing": [...], "resolved": [...]}, or NULL */
} tw_notification;

tw_notification *tw_notification_new(void);
tw_notification *tw_notification_ref(tw_notification *n);
void tw_notification_unref(tw_notification *n);
/* What sinks are given: the object of the replay format, and "id", "starts_at" and "ends_at". */
void tw_notification_write(const tw_notification *n, tw_buf *out);
/* The object of the replay format ("type": "notification", ...), keys in the documented order. New reference. */
json_t *tw_notification_json(const tw_notification *n);

typedef struct tw_notification_port {
    void (*notify)(void *self, tw_notification *n);
    void *self;
} tw_notification_port;

#endif
