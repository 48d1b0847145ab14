// SPDX-License-Identifier: Apache-2.0
/* What the incident stage waits for, by the clock of a rule. A `tw_course` is the time of one
 * rule as the stage knows it: a heap of deadlines and the rule's open incidents. Deadlines of
 * all rules that their clocks have passed leave in order of (time, rank, name).
 *
 * Shore thread only. A tw_due lives in its owner, who calls tw_due_done before he dies;
 * courses live as long as the stage, since few rules ever raise an alert. */
#ifndef TW_ALERT_DUE_H
#define TW_ALERT_DUE_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/incident.h"
#include "base/map.h"

#define TW_DUE_NEVER INT64_MAX

struct tw_incident;
struct tw_course;

/* What happens at one instant happens in this order. */
typedef enum tw_due_rank {
    TW_DUE_END,   /* incidents end */
    TW_DUE_TELL,  /* then it is decided what is told of those that stay */
    TW_DUE_GROUP, /* then groups leave */
    TW_DUE_STORM
} tw_due_rank;

typedef struct tw_due {
    int64_t at_ms; /* TW_DUE_NEVER: not set */
    tw_due_rank rank;
    const char *name;                         /* of the owner; borrowed */
    void (*fire)(void *owner, int64_t at_ms); /* the deadline is off by then */
    void *owner;
    struct tw_course *course;
    uint32_t place; /* in the heap */
} tw_due;

typedef struct tw_course {
    char *rule;
    tw_due **heap;
    uint32_t count, room;
    struct tw_incident *first; /* its open incidents, newest first */
    void *behind;              /* aged.c: alerts that are told too late; NULL: none */
} tw_course;

/* Rule name to tw_course, in order of appearance. */
tw_map *tw_courses_new(void);
tw_course *tw_courses_get(tw_map *courses, const char *rule); /* makes it */

void tw_due_init(tw_due *due, tw_course *course, tw_due_rank rank, const char *name,
                 void (*fire)(void *owner, int64_t at_ms), void *owner);
void tw_due_set(tw_due *due, int64_t at_ms); /* moves, arms or (TW_DUE_NEVER) cancels */
void tw_due_by(tw_due *due, int64_t at_ms);  /* not later than that */
static inline void tw_due_done(tw_due *due)
{
    if (due->course)
        tw_due_set(due, TW_DUE_NEVER);
}
/* Fires this one while it lies before the time, whatever the clock says: whoever it belongs to
 * has come to that time. The owner must survive it. */
void tw_due_catch_up(tw_due *due, int64_t before_ms);

/* Fires every deadline before `limit_ms` that its rule's clock has passed (inclusive: or
 * reached); clock may be NULL: nothing fires. */
void tw_courses_advance(tw_map *courses, tw_rule_clock clock, void *self, bool inclusive,
                        int64_t limit_ms);

#endif
