// SPDX-License-Identifier: Apache-2.0
/* The inside of the incident stage, for incident*.c only. */
#ifndef TW_ALERT_INCIDENT_IMPL_H
#define TW_ALERT_INCIDENT_IMPL_H

#include "alert/incident.h"
#include "base/map.h"

/* One (rule, key) that holds an incident open, and the level it is at. */
typedef struct tw_member {
    char *name; /* rule, NUL, key bytes */
    size_t name_len;
    tw_level level;
} tw_member;

typedef struct tw_incident {
    char *id;
    tw_rule *rule; /* the one that opened it, in its newest version */
    tw_member *members;
    uint32_t member_count;
    tw_level level, told, highest;  /* told OK: nothing was */
    int64_t opened_ms, deadline_ms; /* deadline INT64_MAX: none */
    uint64_t occurrences;
    json_t *labels, *values, *evidence, *enrich;
    char *route, *title, *body;
} tw_incident;

struct tw_incidents {
    tw_incidents_options options;
    tw_map *by_id;     /* id -> tw_incident, owns */
    tw_map *by_member; /* member name -> tw_incident */
    tw_map *deadlines; /* rule name -> int64_t *, earliest deadline of its incidents
                          (lower bound) */
    tw_counter *firing, *resolved, *dropped;
    tw_gauge *open;
};

/* incident_text.c */
/* What a signal's templates see. */
typedef struct tw_signal_view {
    tw_incidents *in;
    const tw_signal *signal;
    tw_value key[TW_MAX_KEY_FIELDS];
    uint32_t key_count;
    json_t *enrich; /* look-ups done so far: name -> row or null */
    bool missed;    /* a look-up with miss = "drop" found nothing */
} tw_signal_view;

void tw_signal_view_init(tw_signal_view *v, tw_incidents *in, const tw_signal *s);
void tw_signal_view_done(tw_signal_view *v);
/* Does every look-up of the rule, so that `missed` is known. */
void tw_signal_view_enrich(tw_signal_view *v);
char *tw_signal_incident_id(tw_signal_view *v); /* tw_free */
json_t *tw_signal_labels(tw_signal_view *v);
/* Renders title, body, route, values and evidence of `s` into the incident. */
void tw_incident_render(tw_incident *inc, tw_signal_view *v);
tw_notification *tw_incident_notification(const tw_incident *inc, int64_t at_ms,
                                          uint64_t seq, bool resolved,
                                          const char *reason);

#endif
