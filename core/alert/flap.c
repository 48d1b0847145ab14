// SPDX-License-Identifier: Apache-2.0
/* Incidents whose level changes too often. The times of the last changes are kept by the
 * incident's id, since opening and ending are changes, too: the history outlives the
 * incident, until its newest change is older than `within`. Shore thread only.
 *
 * Invariant: a history holds at most max + 1 times, oldest first, all within `within` of the
 * newest. */
#include <string.h>

#include "alert/state_impl.h"
#include "base/mem.h"

typedef struct history {
    tw_incidents *in;
    char *id;
    int64_t *times;
    uint32_t count;
    tw_wait due; /* then it is forgotten */
} history;

void tw_flap_free(void *p)
{
    history *h = p;

    tw_wait_done(&h->due);
    tw_free(h->id);
    tw_free(h->times);
    tw_free(h);
}

static void on_old(void *self, int64_t at_ms)
{
    history *h = self;

    (void)at_ms;
    tw_map_remove(h->in->flaps, h->id);
}

static history *history_of(tw_incidents *in, tw_course *course, const char *id)
{
    history *h = tw_map_get(in->flaps, id);

    if (h)
        return h;
    h = tw_alloc(sizeof *h);
    h->in = in;
    h->id = tw_strdup(id);
    tw_wait_init(&h->due, course, TW_WAIT_STORM, h->id, on_old, h);
    tw_map_put(in->flaps, id, h);
    return h;
}

/* Drops what has left the span, and the oldest beyond what is needed to judge. */
static void note(history *h, const tw_flap_plan *plan, int64_t at_ms)
{
    uint32_t drop = 0;

    while (drop < h->count && h->times[drop] <= at_ms - plan->within_ms)
        drop++;
    if (h->count - drop > plan->max)
        drop = h->count - plan->max;
    if (drop > 0)
        memmove(h->times, h->times + drop, (h->count - drop) * sizeof *h->times);
    h->count -= drop;
    h->times = tw_realloc(h->times, (h->count + 1) * sizeof *h->times);
    h->times[h->count++] = at_ms;
    tw_wait_set(&h->due, at_ms + plan->within_ms);
}

/* What it did before does not count against it any more. */
void tw_flap_calmed(tw_incident *inc)
{
    tw_map_remove(inc->in->flaps, inc->id);
}

void tw_flap_changed(tw_incident *inc, int64_t at_ms)
{
    const tw_flap_plan *plan = &inc->rule->incident.flap;

    if (!plan->set)
        return;
    history *h = history_of(inc->in, inc->course, inc->id);
    note(h, plan, at_ms);
    if (h->count > plan->max && !(inc->marks & TW_MARK_FLAPPING)) {
        inc->marks |= TW_MARK_FLAPPING;
        tw_incident_report(inc, "flapping", NULL, at_ms);
    }
    inc->calm_ms = at_ms + plan->calm_ms;
}

/* ---- state ------------------------------------------------------------------------- */

void tw_flap_save(const tw_incidents *in, tw_buf *out)
{
    const char *id;
    void *value;

    tw_state_put_u64(out, tw_map_count(in->flaps));
    for (size_t i = 0; tw_map_next(in->flaps, &i, &id, &value);) {
        const history *h = value;
        tw_stage_put_text(out, h->id);
        tw_stage_put_text(out, h->due.course->rule);
        tw_state_put_i64(out, h->due.at_ms);
        tw_state_put_u64(out, h->count);
        for (uint32_t k = 0; k < h->count; k++)
            tw_state_put_i64(out, h->times[k]);
    }
}

static bool load_times(history *h, tw_stage_in *from)
{
    uint32_t count = 0;
    int64_t due_ms, at_ms;
    bool good =
        tw_state_take_i64(&from->in, &due_ms) && tw_state_take_u32(&from->in, &count);

    for (uint32_t k = 0; good && k < count; k++) {
        good = tw_state_take_i64(&from->in, &at_ms);
        h->times = tw_realloc(h->times, (h->count + 1) * sizeof *h->times);
        h->times[h->count++] = good ? at_ms : 0;
    }
    if (good)
        tw_wait_set(&h->due, due_ms);
    return good;
}

bool tw_flap_load(tw_stage_in *from)
{
    tw_incidents *in = from->incidents;
    uint64_t count = 0;
    bool good = tw_state_take_u64(&from->in, &count);

    for (uint64_t i = 0; good && i < count; i++) {
        char *id = NULL, *rule = NULL;
        good = tw_stage_take_text(from, &id) && tw_stage_take_text(from, &rule) && id &&
               rule && !tw_map_get(in->flaps, id) &&
               load_times(history_of(in, tw_courses_get(in->courses, rule), id), from);
        tw_free(id);
        tw_free(rule);
    }
    return good;
}
