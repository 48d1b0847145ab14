// SPDX-License-Identifier: Apache-2.0
/* The source as a whole: when it was heard, by any key on any lane; as events arrive, those that are not judged yet
 * included. One lane's thread.
 *
 * It is kept as runs, spans in which no silence was as long as the guard; between two runs, from the guard
 * behind the end of one to the start of the next, the source was dead. Every lane learns all that
 * was heard before its clock passes it, so all have the same runs; one of them tells. */
#include <string.h>

#include "detect/missing_impl.h"

bool missing_source_alive(const missing *d, int64_t at_ms, int64_t *out_since_ms)
{
    int64_t guard_ms = d->plan->guard_ms;

    *out_since_ms = INT64_MIN;
    if (guard_ms == 0) {
        return true;
    }
    for (uint32_t i = d->run_count; i-- > 0;) {
        const missing_run *r = &d->runs[i];
        if (r->from_ms <= at_ms) {
            *out_since_ms = r->from_ms;
            return at_ms < r->to_ms + guard_ms;
        }
    }
    if (d->run_count > 0) {
        *out_since_ms = d->runs[0].from_ms; /* before all that is known */
    }
    return true;
}

/* Runs from `at` on that the one at `at` has come to touch become part of it. */
static void join_behind(missing *d, uint32_t at)
{
    missing_run *r = &d->runs[at];
    uint32_t behind = at + 1;

    while (behind < d->run_count &&
           d->runs[behind].from_ms <= r->to_ms + d->plan->guard_ms) {
        r->to_ms = missing_later(r->to_ms, d->runs[behind].to_ms);
        behind++;
    }
    memmove(&d->runs[at + 1], &d->runs[behind],
            (d->run_count - behind) * sizeof *d->runs);
    d->run_count -= behind - at - 1;
}

void missing_source_join(missing *d)
{
    for (uint32_t at = 0; at < d->run_count; at++) {
        join_behind(d, at);
    }
}

static void drop_first(missing *d)
{
    d->run_count--;
    memmove(&d->runs[0], &d->runs[1], d->run_count * sizeof *d->runs);
}

static void insert(missing *d, int64_t from_ms, int64_t to_ms)
{
    uint32_t at = d->run_count;

    while (at > 0 && d->runs[at - 1].to_ms + d->plan->guard_ms >= from_ms) {
        at--;
    }
    if (at < d->run_count && d->runs[at].from_ms <= to_ms + d->plan->guard_ms) {
        missing_run *r = &d->runs[at];
        r->from_ms = from_ms < r->from_ms ? from_ms : r->from_ms;
        r->to_ms = missing_later(r->to_ms, to_ms);
        join_behind(d, at);
        return;
    }
    if (d->run_count == MAX_RUNS) {
        drop_first(d);
        at -= at > 0;
    }
    memmove(&d->runs[at + 1], &d->runs[at], (d->run_count - at) * sizeof *d->runs);
    d->runs[at] = (missing_run){from_ms, to_ms};
    d->run_count++;
}

static void tell(missing *d, bool silent, int64_t at_ms)
{
    d->source_told = silent;
    d->source_ms = at_ms;
    missing_tell_source(d, silent, missing_later(at_ms, d->clock_ms));
}

void missing_source_heard(missing *d, int64_t from_ms, int64_t to_ms)
{
    int64_t newest_ms = d->run_count ? d->runs[d->run_count - 1].to_ms : INT64_MIN;

    if (d->plan->guard_ms == 0) {
        return;
    }
    insert(d, from_ms, to_ms);
    if (d->source_told && to_ms > newest_ms && d->rule->lateness_ms == 0) {
        tell(d, false, from_ms);
    }
}

/* From ever on, so that no key is given more time. */
void missing_source_trust(missing *d, int64_t now_ms)
{
    if (d->plan->guard_ms > 0 && d->run_count == 0 && now_ms != TW_TIME_NONE) {
        insert(d, INT64_MIN, now_ms);
    }
}

/* When the run is over and the source dead. */
static int64_t dead_from(const missing *d, const missing_run *r)
{
    return r->to_ms + d->plan->guard_ms;
}

/* Without lateness what is heard is known at its own instant, and it has moved the clock there. */
void missing_source_advance(missing *d, int64_t clock_ms)
{
    int64_t back_ms = d->rule->lateness_ms == 0 ? clock_ms : clock_ms - 1;

    for (uint32_t i = 0; i < d->run_count && d->is_source_owner; i++) {
        int64_t from_ms = d->runs[i].from_ms, dead_ms = dead_from(d, &d->runs[i]);
        if (d->source_told && from_ms > d->source_ms && from_ms <= back_ms) {
            tell(d, false, from_ms);
        }
        if (!d->source_told && dead_ms > d->source_ms && dead_ms < clock_ms) {
            tell(d, true, dead_ms);
        }
    }
}

void missing_source_prune(missing *d, int64_t acted_ms)
{
    while (d->run_count > 1 && d->runs[1].from_ms < acted_ms) {
        drop_first(d);
    }
}

int64_t missing_source_next(const missing *d)
{
    for (uint32_t i = 0; i < d->run_count && d->is_source_owner; i++) {
        int64_t from_ms = d->runs[i].from_ms, dead_ms = dead_from(d, &d->runs[i]);
        if (d->source_told && from_ms > d->source_ms) {
            return from_ms;
        }
        if (!d->source_told && dead_ms > d->source_ms) {
            return dead_ms;
        }
    }
    return INT64_MAX;
}
