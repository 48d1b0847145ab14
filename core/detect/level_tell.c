// SPDX-License-Identifier: Apache-2.0
/* What the incident stage is told about a key: each change of its level, and holds that
 * begin or end without firing. One lane's thread.
 *
 * While a level stands its values go on, and what is told later (a reminder, what a silence held back) shall not show those
 * of its beginning: they are told as news, for the texts alone, and not more often than
 * news_every.
 *
 * A rise needs the incident's `when` to agree; until it does the level stands but is not
 * told, and it is asked again at each judgement. A fall or an end of what was told is always
 * told. */
#include "base/hash.h"
#include "detect/level_impl.h"

#define NEWS_MS 10000
#define RARE_NEWS_MS 60000

static tw_level highest(uint32_t bits)
{
    return bits == 0 ? TW_LEVEL_OK : (tw_level)(31 - __builtin_clz(bits));
}

static void span_of(const level *d, level_key *key, tw_signal *s)
{
    s->start_ms = s->stop_ms = TW_TIME_NONE;
    if (d->grid) {
        s->stop_ms = level_judged_end(d, key);
        s->start_ms = tw_windows_start(&d->windows, s->stop_ms);
    } else if (d->layout.session) {
        level_session_span(d, key, &s->start_ms, &s->stop_ms);
    } else if (d->plan->window.kind == TW_WINDOW_SLIDING) {
        s->stop_ms = s->at_ms;
        s->start_ms = s->at_ms - d->windows.over_ms;
    } else if (d->plan->window.kind == TW_WINDOW_COUNT &&
               !tw_window_empty(&key->window)) {
        tw_window_span(&d->windows, &key->window, &s->start_ms, &s->stop_ms);
    }
}

static const tw_value *fields_of(const level *d, level_key *key, uint32_t offset)
{
    if (!offset) {
        return NULL;
    }
    tw_carried *c = *(tw_carried **)level_part(key, offset);
    return c ? c->values : d->absent;
}

static tw_origin origin_of(const level *d, level_key *key)
{
    if (d->ev) {
        return tw_event_origin(d->ev);
    }
    if (d->layout.origin) {
        return *(tw_origin *)level_part(key, d->layout.origin);
    }
    return (tw_origin){.partition = -1};
}

static void send_signal(level *d, uint32_t number, tw_signal_kind kind, tw_level to,
                        int64_t at_ms, const char *reason)
{
    level_key *key = tw_keyed_at(d->keys, number);

    if (!d->fresh) {
        level_read(d, key, at_ms);
    }
    tw_signal s = {
        .rule = d->rule,
        .kind = kind,
        .from = (tw_level)(kind == TW_SIGNAL_NEWS ? key->open->from : key->told),
        .level = to,
        .at_ms = at_ms,
        .seq = d->ev ? d->ev->seq : 0,
        .key = tw_keyed_key(d->keys, number),
        .result = {d->names, d->values, d->has, d->result_count, d->tops},
        .fields = fields_of(d, key, d->layout.carried),
        .first_fields = fields_of(d, key, d->layout.carried_first),
        .newest = origin_of(d, key),
        .newest_ms = d->ev ? d->ev->time_ms : key->newest_ms,
        .reason = reason,
        .approx = d->window_values.approx || tw_window_approx(&d->windows, &key->window)};
    span_of(d, key, &s);
    d->env.out.signal(d->env.out.self, &s);
}

/* The incident's own predicate agrees to a rise to this level. */
static bool may_tell(level *d, level_key *key, tw_level to, int64_t at_ms)
{
    int fn = d->rule->incident.when_fn;
    bool rise = to != TW_LEVEL_OK && to != TW_LEVEL_UNKNOWN &&
                (key->told == TW_LEVEL_UNKNOWN || to > key->told);
    bool agrees = false;

    if (!rise || fn == TW_NO_FN || !d->rule->incident.set) {
        return true;
    }
    if (!d->fresh) {
        level_read(d, key, at_ms);
    }
    tw_result result = {d->names, d->values, d->has, d->result_count, d->tops};
    int rc = d->env.script->cls->test_result(d->env.script, fn, &result, &agrees);
    return rc == 0 && agrees;
}

static void tell_pending(level *d, uint32_t number, tw_level pending, int64_t at_ms,
                         const char *reason)
{
    level_key *key = tw_keyed_at(d->keys, number);
    uint8_t before = key->open->told_pending;

    if (pending == before) {
        return;
    }
    key->open->told_pending = (uint8_t)pending;
    if (pending != TW_LEVEL_OK || key->told < before || key->told == TW_LEVEL_UNKNOWN) {
        send_signal(d, number, TW_SIGNAL_PENDING, pending, at_ms, reason);
    }
}

static void put_to_rest(level *d, level_key *key)
{
    const level_open *o = key->open;

    if (o->active == 0 && o->pending == 0 && o->clearing == 0 && o->override == 0 &&
        o->told_pending == 0 && key->told == TW_LEVEL_OK) {
        tw_slab_give(d->slab, key->open, sizeof *key->open);
        key->open = NULL;
    }
}

/* Stands for the values of this instant; 0: there is none. */
static uint64_t values_now(const level *d)
{
    bool any = false;

    for (uint32_t n = 0; n < d->plan->value_count; n++) {
        any = any || d->has[n];
    }
    return any ? tw_hash_stable(d->values, d->result_count * sizeof *d->values) | 1 : 0;
}

/* Where only a silence could hold anything back, nearly nobody ever reads them. */
static int64_t news_every(const tw_incident_plan *plan)
{
    bool is_usual = plan->remind_ms > 0 || plan->inhibitor_count > 0 || plan->group.set ||
                    plan->storm.set || plan->max_age_ms > 0 || plan->active.set;

    return is_usual ? NEWS_MS : RARE_NEWS_MS;
}

static void note_said(const level *d, level_open *open, uint64_t said, int64_t at_ms)
{
    open->said = said;
    open->news = false;
    open->news_ms = at_ms + news_every(&d->rule->incident);
}

static void tell_news(level *d, uint32_t number, int64_t at_ms)
{
    level_key *key = tw_keyed_at(d->keys, number);
    level_open *open = key->open;

    if (key->told == TW_LEVEL_OK || !d->rule->incident.set) {
        return;
    }
    if (open->news && at_ms >= open->news_ms && !d->fresh) {
        level_read(d, key, at_ms);
    }
    uint64_t now = d->fresh ? values_now(d) : 0;
    if (now == 0 || now == open->said) {
        open->news = open->news && at_ms < open->news_ms && now == 0;
    } else if (at_ms < open->news_ms) {
        open->news = true;
    } else {
        send_signal(d, number, TW_SIGNAL_NEWS, (tw_level)key->told, at_ms, NULL);
        note_said(d, open, now, at_ms);
    }
}

void level_tell(level *d, uint32_t number, int64_t at_ms, const char *reason)
{
    level_key *key = tw_keyed_at(d->keys, number);
    level_open *open = key->open;

    if (d->measures && d->fresh) {
        send_signal(d, number, TW_SIGNAL_VALUE, TW_LEVEL_OK, at_ms, reason);
    }
    if (!open) {
        return;
    }
    tw_level active = highest(open->active);
    tw_level now = open->override ? (tw_level)open->override : active;
    tw_level pending = highest(open->pending);

    if (now != key->told && may_tell(d, key, now, at_ms)) {
        send_signal(d, number, TW_SIGNAL_LEVEL, now, at_ms, reason);
        open->from = key->told;
        key->told = (uint8_t)now;
        note_said(d, open, values_now(d), at_ms);
    } else {
        tell_news(d, number, at_ms);
    }
    tell_pending(d, number, pending > active ? pending : TW_LEVEL_OK, at_ms, reason);
    put_to_rest(d, key);
}

void level_tell_gone(level *d, uint32_t number, int64_t at_ms, const char *reason)
{
    level_key *key = tw_keyed_at(d->keys, number);

    d->fresh = false;
    if (key->told != TW_LEVEL_OK) {
        send_signal(d, number, TW_SIGNAL_LEVEL, TW_LEVEL_OK, at_ms, reason);
        key->told = TW_LEVEL_OK;
    }
    if (key->open && key->open->told_pending != 0) {
        send_signal(d, number, TW_SIGNAL_PENDING, TW_LEVEL_OK, at_ms, reason);
    }
}
