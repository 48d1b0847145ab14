// SPDX-License-Identifier: Apache-2.0
/* An operational event as producers of such events write it: flat, text and numbers, absent what does
 * not apply. Any thread; all text is borrowed. */
#ifndef DEMO_EVENT_H
#define DEMO_EVENT_H

#include <stdint.h>

typedef struct demo_event {
    const char *topic; /* NULL: nothing is sent */
    const char *type, *source, *service, *host, *node, *pod, *az, *version;
    const char *action, *result, *reason, *severity, *path, *name;
    int64_t from, to, code; /* 0: absent */
    double latency_ms, duration_ms;
} demo_event;

/* The event as JSON with id, time, cluster and region added; the caller frees. */
char *demo_event_json(const demo_event *e, uint64_t id, int64_t now_ms);

#endif
