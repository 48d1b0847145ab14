// SPDX-License-Identifier: Apache-2.0
/* A group of incidents, for group*.c only; see group.c. */
#ifndef TW_ALERT_GROUP_IMPL_H
#define TW_ALERT_GROUP_IMPL_H

#include "alert/incident_impl.h"

struct tw_group {
    tw_incidents *in;
    char *key;  /* name and route */
    char *name; /* rule/group/values: what receivers know it by */
    char *route;
    tw_rule *rule;
    char *told_as;  /* the name that the rule had before; NULL: its own */
    json_t *labels; /* those it is made by */
    tw_incident *
        *members; /* open ones, told or queued, as they came; NULL: one that left */
    uint32_t count, used, room;
    uint32_t queued;  /* how many are */
    json_t *resolved; /* members that ended since the last notification, as JSON */
    tw_level highest;
    int64_t opened_ms;
    int64_t first_ms; /* of the first notification: the grid; TW_TIME_NONE: it waits */
    int64_t wait_until_ms; /* for company */
    int64_t remind_ms;     /* TW_WAIT_NEVER: never */
    bool announced;        /* to a receiver, not only to a storm's summary */
    bool changed;          /* a member fell or flaps: goes out with the next turn */
    tw_wait due;
};

/* group.c */
/* An empty one, in its map; takes name and key. */
tw_group *tw_group_new(tw_incidents *in, tw_rule *rule, char *name, char *key);
void tw_group_add(tw_group *g, tw_incident *inc);
/* The member at or behind *io_place, which is behind it then; NULL: none. */
tw_incident *tw_group_next(const tw_group *g, uint32_t *io_place);

/* group_note.c */
json_t *tw_group_member_json(const tw_incident *inc);
tw_notification *tw_group_note(const tw_group *g, int64_t at_ms, bool resolved,
                               tw_telling what);

#endif
