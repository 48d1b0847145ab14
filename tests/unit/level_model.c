// SPDX-License-Identifier: Apache-2.0
/* The model's story: levels, clocks and what is told; see level_model.h. */
#include "level_model.h"

#include <stdlib.h>
#include <string.h>

static model_key keys[MODEL_KEYS];
static model_line told[MODEL_TOLD];
static uint32_t told_count;
static const tw_rule *rule;
static uint64_t late_count;

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool condition_holds(const tw_level_spec *s, double v)
{
    return (!s->above.set || v > s->above.value) &&
           (!s->below.set || v < s->below.value) &&
           (!s->at_least.set || v >= s->at_least.value) &&
           (!s->at_most.set || v <= s->at_most.value) &&
           (!s->outside || v < s->outside_lo || v > s->outside_hi);
}

static bool has_cleared(const tw_level_spec *s, double v)
{
    if (!s->clear.set) {
        return true;
    }
    if (s->outside) {
        return v >= s->clear_lo && v <= s->clear_hi;
    }
    return s->above.set || s->at_least.set ? v <= s->clear.value : v >= s->clear.value;
}

typedef struct key_state {
    tw_level level, pending;
    bool busy;
} key_state;

/* One level's story from the first judgement on; instants before `passed` are over. */
static void replay_level(const model_key *k, int lv, int64_t passed, bool *active,
                         bool *pending, bool *busy)
{
    const tw_level_spec *s = &rule->level.levels[lv];
    int64_t since = INT64_MAX, clearing = INT64_MAX;
    bool on = false;

    for (uint32_t n = 0; n <= k->fact_count; n++) {
        int64_t at = n < k->fact_count ? k->facts[n].at_ms : passed;
        if (since != INT64_MAX && since + s->hold_ms < at) {
            on = true;
            since = INT64_MAX;
        }
        if (clearing != INT64_MAX && clearing + s->clear_hold_ms < at) {
            on = false;
            clearing = INT64_MAX;
        }
        if (n == k->fact_count) {
            break;
        }
        const model_fact *f = &k->facts[n];
        if (f->nodata || !f->has) {
            since = clearing = INT64_MAX;
            on = on && !(f->nodata && rule->level.nodata_be == TW_NODATA_OK);
        } else if (condition_holds(s, f->value)) {
            clearing = INT64_MAX;
            since = on ? INT64_MAX : since == INT64_MAX ? f->since_ms : since;
            if (!on && (s->hold_ms == 0 || since + s->hold_ms < at)) {
                on = true;
                since = INT64_MAX;
            }
        } else {
            since = INT64_MAX;
            bool clears = on && has_cleared(s, f->value);
            clearing = !clears                 ? INT64_MAX
                       : clearing == INT64_MAX ? f->since_ms
                                               : clearing;
            if (clears && (s->clear_hold_ms == 0 || clearing + s->clear_hold_ms < at)) {
                on = false;
                clearing = INT64_MAX;
            }
        }
    }
    *active = on;
    *pending = since != INT64_MAX;
    *busy = on || since != INT64_MAX || clearing != INT64_MAX;
}

static key_state state_of(const model_key *k, int64_t passed)
{
    key_state s = {TW_LEVEL_OK, TW_LEVEL_OK, false};
    tw_level highest = TW_LEVEL_OK, top = TW_LEVEL_OK;

    for (int lv = TW_LEVEL_INFO; lv < TW_LEVELS; lv++) {
        bool active = false, pending = false, busy = false;
        if (!rule->level.levels[lv].used) {
            continue;
        }
        replay_level(k, lv, passed, &active, &pending, &busy);
        top = (tw_level)lv;
        highest = active ? (tw_level)lv : highest;
        s.pending = pending ? (tw_level)lv : s.pending;
        s.busy = s.busy || busy;
    }
    s.level = highest;
    s.pending = s.pending > highest ? s.pending : TW_LEVEL_OK;
    for (uint32_t n = k->fact_count; n-- > 0 && !k->facts[n].has;) {
        if (k->facts[n].nodata && rule->level.nodata_be == TW_NODATA_UNKNOWN) {
            s.level = TW_LEVEL_UNKNOWN;
        } else if (k->facts[n].nodata && rule->level.nodata_be == TW_NODATA_ALERT &&
                   top != TW_LEVEL_OK) {
            s.level = top;
        }
    }
    return s;
}

static void tell(model_key *k, int64_t at, const key_state *s)
{
    char name = (char)('a' + (k - keys));
    model_line line = {.at_ms = at, .key = name};

    must(told_count + 2 < MODEL_TOLD);
    line.has = model_value(rule, k, at, &line.value);
    if (s->level != k->told) {
        line.kind = TW_SIGNAL_LEVEL;
        line.from = k->told;
        line.to = k->told = s->level;
        told[told_count++] = line;
    }
    if (s->pending != k->told_pending) {
        tw_level before = k->told_pending;
        line.kind = TW_SIGNAL_PENDING;
        line.from = k->told;
        line.to = k->told_pending = s->pending;
        if (s->pending != TW_LEVEL_OK || k->told < before ||
            k->told == TW_LEVEL_UNKNOWN) {
            told[told_count++] = line;
        }
    }
}

static void judge(model_key *k, int64_t at, int64_t since)
{
    const tw_window *w = &rule->level.window;

    must(k->fact_count < MODEL_FACTS);
    if (w->full && w->kind != TW_WINDOW_COUNT && k->first_ms > at - w->over_ms) {
        return;
    }
    model_fact *f = &k->facts[k->fact_count++];
    *f = (model_fact){.at_ms = at, .since_ms = since};
    f->has = model_value(rule, k, at, &f->value);
}

static bool is_silent(const model_key *k, int64_t at)
{
    return rule->level.has_nodata && at >= k->sample_ms + rule->level.nodata_after_ms;
}

static bool leaves(const model_key *k, int64_t at)
{
    for (uint32_t n = 0; n < k->event_count; n++) {
        const tw_window *w = &rule->level.window;
        int64_t age_ms = at - k->events[n].time_ms;
        if (model_is_sample(rule, &k->events[n]) &&
            (age_ms == w->over_ms || (w->prev && age_ms == 2 * w->over_ms))) {
            return true;
        }
    }
    return false;
}

/* The clock passes one instant of a key. */
static void act(model_key *k, int64_t at)
{
    const tw_level_plan *p = &rule->level;
    bool sliding = p->window.kind == TW_WINDOW_SLIDING && p->at_input < 0;

    k->acted_ms = at + 1;
    if (is_silent(k, at)) {
        if (at == k->sample_ms + p->nodata_after_ms) {
            k->facts[k->fact_count++] = (model_fact){.at_ms = at, .nodata = true};
        }
    } else if ((model_is_end(rule, k, at) && at > k->first_ms) ||
               (sliding && leaves(k, at))) {
        judge(k, at, at);
    }
    key_state s = state_of(k, at + 1);
    tell(k, at, &s);
    if (!s.busy && s.level == TW_LEVEL_OK && k->newest_ms + rule->forget_ms <= at) {
        *k = (model_key){.lives = false};
    }
}

static bool is_late(const model_key *k, int64_t time_ms, int64_t now_ms)
{
    const tw_window *w = &rule->level.window;
    int64_t origin = !w->align_first ? 0 : k->lives ? k->first_ms : time_ms;

    if (model_is_grid(rule)) {
        int64_t start = model_floor(time_ms - origin, w->every_ms) * w->every_ms + origin;
        return start + w->over_ms < now_ms;
    }
    if (w->kind == TW_WINDOW_SLIDING) {
        return time_ms <= now_ms - w->over_ms;
    }
    for (uint32_t n = 0; n < rule->level.agg_count; n++) {
        if (rule->level.aggs[n].kind == TW_AGG_LATEST) {
            return false;
        }
    }
    return w->kind == TW_WINDOW_NONE && k->lives && time_ms < k->newest_ms;
}

static void take(model_key *k, const model_event *e, int64_t now)
{
    const tw_level_plan *p = &rule->level;
    bool sample = model_is_sample(rule, e), judged = !model_is_grid(rule);

    k->events[k->event_count++] = *e;
    k->newest_ms = e->time_ms > k->newest_ms ? e->time_ms : k->newest_ms;
    if (sample && e->time_ms > k->sample_ms) {
        k->sample_ms = e->time_ms;
    }
    if (p->window.kind == TW_WINDOW_COUNT) {
        uint32_t every = p->window.count_every > 1 ? p->window.count_every : 1;
        uint32_t last = p->window.last;
        uint32_t need =
            p->min_samples > 0 && p->min_samples < last ? p->min_samples : last;
        k->seen += sample;
        judged = k->seen >= need && (sample ? k->seen % every == 0 : every == 1);
    }
    if (judged && (p->at_input < 0 || (uint32_t)p->at_input == e->input) &&
        !is_silent(k, now)) {
        judge(k, now, k->newest_ms);
    }
    if (is_silent(k, now - 1) && k->fact_count == 0) {
        k->facts[k->fact_count++] = (model_fact){.at_ms = now, .nodata = true};
    }
    key_state s = state_of(k, now);
    tell(k, now, &s);
}

void model_feed(uint32_t key, const model_event *e, int64_t clock)
{
    model_key *k = &keys[key];
    int64_t now = e->time_ms > clock ? e->time_ms : clock;

    now = k->lives && k->newest_ms > now ? k->newest_ms : now;
    if (is_late(k, e->time_ms, now)) {
        late_count++;
        return;
    }
    while (k->lives && k->acted_ms < now) {
        act(k, k->acted_ms);
    }
    if (!k->lives) {
        *k = (model_key){.lives = true,
                         .first_ms = e->time_ms,
                         .newest_ms = e->time_ms,
                         .sample_ms = e->time_ms,
                         .acted_ms = now};
    }
    take(k, e, now);
}

void model_advance(int64_t from, int64_t clock)
{
    for (int64_t t = from; t < clock; t++) {
        for (uint32_t n = 0; n < MODEL_KEYS; n++) {
            if (keys[n].lives && keys[n].acted_ms <= t) {
                act(&keys[n], t);
            }
        }
    }
}
void model_start(const tw_rule *r)
{
    memset(keys, 0, sizeof keys);
    told_count = 0;
    late_count = 0;
    rule = r;
}

const model_line *model_told(uint32_t *out_count)
{
    *out_count = told_count;
    return told;
}

uint64_t model_late(void)
{
    return late_count;
}

uint32_t model_living(void)
{
    uint32_t lives = 0;

    for (uint32_t n = 0; n < MODEL_KEYS; n++) {
        lives += keys[n].lives;
    }
    return lives;
}
