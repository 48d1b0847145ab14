// SPDX-License-Identifier: Apache-2.0
/* A storm of what a rule tells, for storm*.c only; see storm.c. */
#ifndef TW_ALERT_STORM_IMPL_H
#define TW_ALERT_STORM_IMPL_H

#include "alert/incident_impl.h"

struct tw_storm {
    tw_incidents *in;
    char *id; /* rule/storm/values: what receivers know the summary by */
    char *route;
    tw_rule *rule;
    char *told_as;       /* the name that the rule had before; NULL: its own */
    json_t *labels;      /* those of `by` */
    uint32_t count;      /* openings, rises and reminders in this period */
    uint64_t came, said; /* of this storm to the summary; of those it has said so */
    /* the summary */
    tw_incident *oldest, *newest; /* whom it stands for now, as they came */
    uint64_t open;                /* how many are */
    uint64_t all;                 /* for how many since it opened */
    tw_level level;               /* the highest of those */
    tw_level told_level;
    json_t *names;     /* of the first few of all */
    int64_t opened_ms; /* TW_TIME_NONE: it stands for nobody */
    int64_t told_ms;   /* the last time; TW_TIME_NONE: it was not */
    int64_t tell_ms;   /* when it is next, whatever comes; TW_WAIT_NEVER */
    int64_t period_ms; /* when the period is over; TW_WAIT_NEVER: none runs */
    tw_wait due;
};

/* storm.c */
/* In its map; takes labels and id. */
tw_storm *tw_storm_new(tw_incidents *in, tw_rule *rule, json_t *labels, char *id);
/* It stands for this one from now on, who is behind all others. */
void tw_storm_link(tw_storm *s, tw_incident *inc);

/* storm_note.c */
/* It is remembered among the first, if it is. */
void tw_storm_note_name(tw_storm *s, const tw_incident *inc);
tw_notification *tw_storm_note(const tw_storm *s, int64_t at_ms, bool resolved,
                               const char *reason);

#endif
