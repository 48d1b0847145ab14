// SPDX-License-Identifier: Apache-2.0
/* `alert = incident { ... }` as the incident stage runs it: texts, when it ends, and when a
 * person is told of it. Part of a rule's plan (flow/plan.h), as immutable as that. */
#ifndef TW_FLOW_PLAN_INCIDENT_H
#define TW_FLOW_PLAN_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/zone.h"
#include "flow/template.h"

typedef enum tw_level {
    TW_LEVEL_OK = 0,
    TW_LEVEL_INFO,
    TW_LEVEL_WARN,
    TW_LEVEL_CRIT,
    TW_LEVEL_UNKNOWN /* no data, and the rule asked to be told so */
} tw_level;
#define TW_LEVELS 4 /* ok info warn crit: what a rule can declare */
const char *tw_level_name(tw_level level);
tw_level tw_level_of_name(const char *name, tw_level fallback);

typedef struct tw_label {
    char *name;
    tw_template value;
} tw_label;

/* What is told beyond the opening and the resolve. */
typedef enum tw_notify_mode {
    TW_NOTIFY_UP,      /* rises above what was told */
    TW_NOTIFY_CHANGES, /* and falls */
    TW_NOTIFY_FIRST    /* nothing */
} tw_notify_mode;

/* `flap`: more than `max` changes of level in `within`; over after `calm` without one. */
typedef struct tw_flap_plan {
    bool set;
    uint32_t max;
    int64_t within_ms, calm_ms;
} tw_flap_plan;

/* A label that must have this value; `severity` is the current level. */
typedef struct tw_label_is {
    char *name, *value;
} tw_label_is;

/* One of `inhibited_by`: an incident of `rule`, or with the labels of `match`, that stands at
 * `level` or above and has the same values of the labels in `equal`. */
typedef struct tw_inhibitor {
    char *rule; /* NULL: any */
    tw_label_is *match;
    uint32_t match_count;
    tw_level level;
    char **equal;
    uint32_t equal_count;
    int64_t wait_ms;
    int line, column; /* where it stands in the rule's file */
} tw_inhibitor;

typedef struct tw_group_plan {
    bool set;
    char **by;
    uint32_t by_count;
    int64_t wait_ms, interval_ms;
} tw_group_plan;

typedef struct tw_storm_plan {
    bool set;
    bool drop; /* rest = "drop": no summary */
    uint32_t max;
    int64_t per_ms;
    char **by;
    uint32_t by_count;
} tw_storm_plan;

/* `active`: told on these days between these times of the day, which may pass midnight. */
typedef struct tw_active_plan {
    bool set;
    uint32_t days;
    int64_t from_ms, to_ms;
    tw_zone *zone; /* NULL: UTC */
} tw_active_plan;

#define TW_AFTER_NEVER (-1)

typedef struct tw_incident_plan {
    bool set;       /* false: the rule raises no alert */
    tw_template id; /* default: rule name and key */
    tw_template route, title, body;
    bool has_route, has_title, has_body;
    tw_level severity; /* of occurrences; default crit */
    tw_label *labels;
    uint32_t label_count;
    int when_fn;
    /* how it ends: occurrences by time, default 1 h from the newest; any by an event of an input */
    int64_t resolve_after_ms; /* or TW_AFTER_NEVER */
    bool resolve_from_first;
    uint64_t resolve_inputs; /* a bit each */
    uint64_t resolve_only;   /* those of them that the detector does not read */
    /* what is told */
    tw_notify_mode notify;
    bool keeps_resolve; /* resolved = false */
    int64_t remind_ms;  /* 0: never */
    int64_t max_age_ms; /* 0: any age */
    tw_flap_plan flap;
    tw_inhibitor *inhibitors;
    uint32_t inhibitor_count;
    int64_t inhibit_wait_ms; /* the longest `wait` of them */
    tw_group_plan group;
    tw_storm_plan storm;
    tw_active_plan active;
} tw_incident_plan;

void tw_incident_plan_done(tw_incident_plan *p);

#endif
