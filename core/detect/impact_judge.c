// SPDX-License-Identifier: Apache-2.0
/* The verdict on one event: Welch's test says whether the means differ, the plan whether by enough, and in which
 * direction is worse. One lane's thread. */
#include <math.h>
#include <string.h>

#include "detect/impact_impl.h"
#include "detect/occurrence.h"

/* Means of equal samples may differ by this share of them, and then any test is sure of it. */
#define ROUNDING 1e-12

typedef struct finding {
    tw_verdict verdict;
    tw_moments before, after;
    double effect, confidence;
    bool has_effect, has_confidence;
    bool approx;
} finding;

static tw_verdict direction(const tw_impact_plan *p, double change)
{
    switch (p->worse) {
    case TW_WORSE_HIGHER:
        return change > 0 ? TW_VERDICT_WORSE : TW_VERDICT_BETTER;
    case TW_WORSE_LOWER:
        return change < 0 ? TW_VERDICT_WORSE : TW_VERDICT_BETTER;
    case TW_WORSE_EITHER:
        break;
    }
    return TW_VERDICT_WORSE;
}

static finding find(const impact *d, const impact_key *k, int64_t time_ms)
{
    const tw_impact_plan *p = d->plan;
    int64_t settled_ms = time_ms + p->settle_ms;
    finding f = {.verdict = TW_VERDICT_UNKNOWN};

    f.before = impact_entries_sum(k, time_ms - p->before_ms, time_ms, &f.approx);
    f.after = impact_entries_sum(k, settled_ms, settled_ms + p->after_ms, &f.approx);
    double change = f.after.mean - f.before.mean, size = fabs(f.before.mean);
    f.has_effect = f.before.count > 0 && f.after.count > 0 && size > 0;
    f.effect = f.has_effect ? change / size : 0;
    f.has_confidence = f.before.count >= 2 && f.after.count >= 2;
    f.confidence = f.has_confidence ? 1 - tw_welch_chance(&f.before, &f.after) : 0;
    if (f.before.count < p->min || f.after.count < p->min) {
        return f;
    }
    bool is_noise = fabs(change) <= ROUNDING * (size + fabs(f.after.mean));
    bool differs =
        f.confidence >= p->confidence && fabs(change) >= p->effect * size && !is_noise;
    f.verdict = differs ? direction(p, change) : TW_VERDICT_SAME;
    return f;
}

static void fill_facts(const finding *f, tw_value *facts)
{
    const char *name = tw_verdict_name(f->verdict);

    memset(facts, 0, TW_IMPACT_FACTS * sizeof *facts);
    facts[TW_IMPACT_VERDICT] = tw_value_string(name, strlen(name));
    if (f->before.count > 0) {
        facts[TW_IMPACT_BEFORE] = tw_value_double(f->before.mean);
    }
    if (f->after.count > 0) {
        facts[TW_IMPACT_AFTER] = tw_value_double(f->after.mean);
    }
    if (f->has_effect) {
        facts[TW_IMPACT_EFFECT] = tw_value_double(f->effect);
    }
    if (f->has_confidence) {
        facts[TW_IMPACT_CONFIDENCE] = tw_value_double(f->confidence);
    }
}

/* The incident's `when`: verdicts by name, or a function of the numbers. */
static bool is_wanted(const impact *d, const finding *f)
{
    const double values[] = {f->before.mean, f->after.mean, f->effect, f->confidence};
    const bool has[] = {f->before.count > 0, f->after.count > 0, f->has_effect,
                        f->has_confidence};
    tw_result result = {.names = &tw_impact_facts[TW_IMPACT_BEFORE],
                        .values = values,
                        .has = has,
                        .count = 4};
    int fn = d->rule->incident.when_fn;
    bool agrees = false;

    if (!d->rule->incident.set) {
        return true;
    }
    if (fn == TW_NO_FN) {
        return d->plan->verdicts >> f->verdict & 1;
    }
    int rc = d->env.script->cls->test_result(d->env.script, fn, &result, &agrees);
    return rc == 0 && agrees;
}

bool impact_judge(impact *d, uint32_t number, int64_t at_ms)
{
    const impact_key *k = tw_keyed_at(d->keys, number);
    const tw_kept *ev = &k->open[0];
    finding f = find(d, k, ev->time_ms);
    tw_value facts[TW_IMPACT_FACTS];
    tw_role_events role = {.count = 1, .first = ev, .last = ev};

    if (!is_wanted(d, &f)) {
        return false;
    }
    fill_facts(&f, facts);
    tw_occurrence o = {.kind = TW_SIGNAL_OCCURRENCE,
                       .key = tw_keyed_key(d->keys, number),
                       .at_ms = at_ms,
                       .start_ms = ev->time_ms - d->plan->before_ms,
                       .stop_ms = impact_due(d, ev->time_ms),
                       .roles = &role,
                       .facts = facts};
    tw_occurrence_tell(d->rule, &d->env, &o);
    return true;
}

void impact_tell_gone(impact *d, uint32_t number, int64_t at_ms, const char *reason)
{
    tw_occurrence o = {.kind = TW_SIGNAL_RESOLVE,
                       .key = tw_keyed_key(d->keys, number),
                       .at_ms = at_ms,
                       .start_ms = TW_TIME_NONE,
                       .stop_ms = TW_TIME_NONE,
                       .reason = reason};

    tw_occurrence_tell(d->rule, &d->env, &o);
}
