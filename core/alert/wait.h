// SPDX-License-Identifier: Apache-2.0
/* What the incident stage waits for, by the clock of a rule. A `tw_course` is the time of one
 * rule as the stage knows it: a heap of deadlines and the rule's open incidents. Deadlines of
 * all rules that their clocks have passed leave in order of (time, rank, name).
 *
 * Shore thread only. A tw_wait lives in its owner, who calls tw_wait_done before he dies;
 * courses live as long as the stage, since few rules ever raise an alert. */
#ifndef TW_ALERT_WAIT_H
#define TW_ALERT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/incident.h"
#include "base/map.h"

#define TW_WAIT_NEVER INT64_MAX

struct tw_incident;
struct tw_course;

/* What happens at one instant happens in this order. */
typedef enum tw_wait_rank {
    TW_WAIT_END,   /* incidents end */
    TW_WAIT_TELL,  /* then it is decided what is told of those that stay */
    TW_WAIT_GROUP, /* then groups leave */
    TW_WAIT_STORM
} tw_wait_rank;

typedef struct tw_wait {
    int64_t at_ms; /* TW_WAIT_NEVER: not set */
    tw_wait_rank rank;
    const char *name;                         /* of the owner; borrowed */
    void (*fire)(void *owner, int64_t at_ms); /* the deadline is off by then */
    void *owner;
    struct tw_course *course;
    uint32_t place; /* in the heap */
} tw_wait;

typedef struct tw_course {
    char *rule;
    tw_wait **heap;
    uint32_t count, room;
    struct tw_incident *first; /* its open incidents, newest first */
    void *behind;              /* aged.c: alerts that are told too late; NULL: none */
} tw_course;

/* Rule name to tw_course, in order of appearance. */
tw_map *tw_courses_new(void);
tw_course *tw_courses_get(tw_map *courses, const char *rule); /* makes it */

void tw_wait_init(tw_wait *due, tw_course *course, tw_wait_rank rank, const char *name,
                  void (*fire)(void *owner, int64_t at_ms), void *owner);
void tw_wait_set(tw_wait *due,
                 int64_t at_ms); /* moves, arms or (TW_WAIT_NEVER) cancels */
void tw_wait_move(tw_wait *due,
                  tw_course *to); /* by the clock of another rule from now on */
void tw_wait_by(tw_wait *due, int64_t at_ms); /* not later than that */
static inline void tw_wait_done(tw_wait *due)
{
    if (due->course)
        tw_wait_set(due, TW_WAIT_NEVER);
}
/* Fires this one while it lies before the time, whatever the clock says: whoever it belongs to
 * has come to that time. The owner must survive it. */
void tw_wait_catch_up(tw_wait *due, int64_t before_ms);

/* Fires every deadline before `limit_ms` that its rule's clock has passed (inclusive: or
 * reached); clock may be NULL: nothing fires. */
void tw_courses_advance(tw_map *courses, tw_rule_clock clock, void *self, bool inclusive,
                        int64_t limit_ms);

#endif
