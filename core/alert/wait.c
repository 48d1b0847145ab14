// SPDX-License-Identifier: Apache-2.0
/* Deadlines of the incident stage; see wait.h. Invariant: a deadline is in its course's heap,
 * at `place`, exactly while it is set. */
#include "alert/wait.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static void course_free(void *p)
{
    tw_course *c = p;

    tw_free(c->heap);
    tw_free(c->rule);
    tw_free(c);
}

tw_map *tw_courses_new(void)
{
    return tw_map_new(course_free);
}

tw_course *tw_courses_get(tw_map *courses, const char *rule)
{
    tw_course *c = tw_map_get(courses, rule);

    if (c)
        return c;
    c = tw_alloc(sizeof *c);
    c->rule = tw_strdup(rule);
    tw_map_put(courses, rule, c);
    return c;
}

/* ---- the heap ---------------------------------------------------------------------- */

static int compare(const tw_wait *a, const tw_wait *b)
{
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void place(tw_course *c, uint32_t at, tw_wait *due)
{
    c->heap[at] = due;
    due->place = at;
}

static void fix(tw_course *c, tw_wait *due)
{
    uint32_t at = due->place;

    for (; at > 0 && compare(due, c->heap[(at - 1) / 2]) < 0; at = (at - 1) / 2)
        place(c, at, c->heap[(at - 1) / 2]);
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= c->count)
            break;
        if (child + 1 < c->count && compare(c->heap[child + 1], c->heap[child]) < 0)
            child++;
        if (compare(due, c->heap[child]) <= 0)
            break;
        place(c, at, c->heap[child]);
        at = child;
    }
    place(c, at, due);
}

static void push(tw_course *c, tw_wait *due)
{
    if (c->count == c->room) {
        c->room = c->room ? 2 * c->room : 16;
        c->heap = tw_realloc(c->heap, c->room * sizeof(tw_wait *));
    }
    place(c, c->count++, due);
    fix(c, due);
}

static void pull(tw_course *c, tw_wait *due)
{
    tw_wait *last = c->heap[--c->count];

    if (last == due)
        return;
    place(c, due->place, last);
    fix(c, last);
}

void tw_wait_init(tw_wait *due, tw_course *course, tw_wait_rank rank, const char *name,
                  void (*fire)(void *owner, int64_t at_ms), void *owner)
{
    *due = (tw_wait){.at_ms = TW_WAIT_NEVER,
                     .rank = rank,
                     .name = name,
                     .fire = fire,
                     .owner = owner,
                     .course = course};
}

void tw_wait_set(tw_wait *due, int64_t at_ms)
{
    int64_t before_ms = due->at_ms;

    if (before_ms == at_ms)
        return;
    if (at_ms == TW_WAIT_NEVER)
        pull(due->course, due);
    due->at_ms = at_ms;
    if (before_ms == TW_WAIT_NEVER)
        push(due->course, due);
    else if (at_ms != TW_WAIT_NEVER)
        fix(due->course, due);
}

void tw_wait_move(tw_wait *due, tw_course *to)
{
    int64_t at_ms = due->at_ms;

    tw_wait_set(due, TW_WAIT_NEVER);
    due->course = to;
    tw_wait_set(due, at_ms);
}

void tw_wait_by(tw_wait *due, int64_t at_ms)
{
    if (at_ms < due->at_ms)
        tw_wait_set(due, at_ms);
}

static void fire(tw_wait *due)
{
    int64_t at_ms = due->at_ms;

    tw_wait_set(due, TW_WAIT_NEVER);
    due->fire(due->owner, at_ms);
}

void tw_wait_catch_up(tw_wait *due, int64_t before_ms)
{
    while (due->at_ms < before_ms)
        fire(due);
}

/* ---- all rules --------------------------------------------------------------------- */

static int64_t limit_of(tw_rule_clock clock, void *self, const char *rule, bool inclusive)
{
    int64_t clock_ms = clock(self, rule);

    return inclusive && clock_ms != TW_TIME_NONE ? clock_ms + 1 : clock_ms;
}

void tw_courses_advance(tw_map *courses, tw_rule_clock clock, void *self, bool inclusive,
                        int64_t limit_ms)
{
    const char *rule;
    void *value;

    for (;;) {
        tw_wait *next = NULL;
        for (size_t i = 0; clock && tw_map_next(courses, &i, &rule, &value);) {
            tw_course *c = value;
            if (c->count == 0 || c->heap[0]->at_ms >= limit_ms ||
                (next && compare(next, c->heap[0]) <= 0) ||
                c->heap[0]->at_ms >= limit_of(clock, self, rule, inclusive))
                continue;
            next = c->heap[0];
        }
        if (!next)
            return;
        fire(next);
    }
}
