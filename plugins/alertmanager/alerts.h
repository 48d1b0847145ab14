// SPDX-License-Identifier: Apache-2.0
/* The alerts an Alertmanager is told of again and again: those that fire, and those that
 * have ended for a while. An alert is known by its labels. Shore thread. */
#ifndef TW_ALERTMANAGER_ALERTS_H
#define TW_ALERTMANAGER_ALERTS_H

#include <jansson.h>
#include <stdbool.h>

#include "tidewatch.h"

typedef struct alert {
    struct alert *next, *previous; /* in the order they came */
    char *identity;                /* its labels, as text */
    char *incident;
    char *generator_url;
    json_t *labels, *annotations;
    int64_t starts_at_ms, ends_at_ms; /* ends TW_NO_TIME while it fires */
    int64_t ended_ms;                 /* when its end was learnt */
    int64_t sent_ms;                  /* when it was last taken; TW_NO_TIME: not yet */
    bool picked;                      /* scratch: is in the array being gathered */
} alert;

typedef struct alert_options {
    json_t *labels; /* more labels, where an alert has none of that name; borrowed */
    const char *external_url;
    bool utf8;
    int64_t resend_ms, resolved_for_ms;
} alert_options;

typedef struct alert_table {
    alert_options options;
    alert *first, *last;
    size_t count, firing;
    bool urgent; /* an alert ended that nobody delivers the end of */
    void *by_identity,
        *by_incident; /* trees; the second holds the newest of an incident */
} alert_table;

void alerts_init(alert_table *t, const alert_options *options);
void alerts_done(alert_table *t);

/* What the record says of its alert. A change of labels (the level rose, and with it
 * `severity`) makes another alert of the same incident; the one before ends. */
alert *alerts_put(alert_table *t, const tw_record *r, int64_t now_ms);
void alerts_remove(alert_table *t, alert *a);

/* Alerts to be sent again: up to max of them; those that ended long enough ago are
 * forgotten. Returns how many. */
size_t alerts_due(alert_table *t, alert **out, size_t max, int64_t now_ms);
/* Into the array with it, once. */
void alerts_pick(alert **list, size_t *count, alert *a);
/* The body of POST /api/v2/alerts; free() it. Ends picking. */
char *alerts_write(const alert_table *t, alert *const *list, size_t count,
                   int64_t now_ms);

#endif
