// SPDX-License-Identifier: Apache-2.0
/* What a session comes to, and whether and how it is told. One lane's thread. */
#include <string.h>

#include "detect/expr.h"
#include "detect/occurrence.h"
#include "detect/session_impl.h"

enum { OWN_NAMES = 3 }; /* count, start, stop */

void session_make_scratch(session *d)
{
    static const char *const own[OWN_NAMES] = {"count", "start", "stop"};
    const tw_level_plan *plan = &d->rule->level;
    uint32_t nodes = 1;

    for (uint32_t n = 0; n < plan->value_count; n++) {
        nodes = plan->values[n].count > nodes ? plan->values[n].count : nodes;
    }
    d->result_count = plan->value_count + OWN_NAMES;
    d->names = tw_calloc(d->result_count, sizeof *d->names);
    d->values = tw_calloc(d->result_count, sizeof *d->values);
    d->has = tw_calloc(d->result_count, sizeof *d->has);
    d->node_values = tw_calloc(nodes, sizeof *d->node_values);
    d->node_has = tw_calloc(nodes, sizeof *d->node_has);
    for (uint32_t n = 0; n < d->result_count; n++) {
        if (n < plan->value_count && tw_level_list(plan, n) && !d->tops) {
            d->tops = tw_calloc(d->result_count, sizeof *d->tops);
            d->items =
                tw_calloc((size_t)plan->value_count * TW_MAX_TOP, sizeof *d->items);
        }
        d->names[n] =
            n < plan->value_count ? plan->value_names[n] : own[n - plan->value_count];
    }
}

void session_free_scratch(session *d)
{
    tw_free(d->names);
    tw_free(d->values);
    tw_free(d->has);
    tw_free(d->tops);
    tw_free(d->items);
    tw_free(d->node_values);
    tw_free(d->node_has);
}

static void read_lists(session *d, session_key *k)
{
    const tw_level_plan *plan = &d->rule->level;

    for (uint32_t n = 0; n < plan->value_count; n++) {
        const tw_aggregate *list = tw_level_list(plan, n);
        tw_top_item *items = d->items + (size_t)n * TW_MAX_TOP;
        if (list) {
            tw_acc *acc = session_acc(d, k, (uint32_t)(list - plan->aggs));
            d->tops[n] = (tw_top){items, tw_topk_list(acc->sketch, items, list->top)};
        }
    }
}

static void read_values(session *d, session_key *k)
{
    const tw_level_plan *plan = &d->rule->level;
    double own[OWN_NAMES] = {(double)k->count, (double)k->start_ms, (double)k->stop_ms};
    double aggs[TW_MAX_AGGS];
    bool has[TW_MAX_AGGS];

    d->approx = false;
    for (uint32_t n = 0; n < d->aggs.count; n++) {
        d->approx = d->approx || tw_agg_approx(&d->aggs, n, session_acc(d, k, n));
        has[n] = tw_agg_value(&d->aggs, n, session_acc(d, k, n), k->stop_ms - k->start_ms,
                              &aggs[n]);
    }
    for (uint32_t n = 0; n < plan->value_count; n++) {
        d->values[n] = 0;
        d->has[n] = tw_expr_value(&plan->values[n], aggs, has, d->node_values,
                                  d->node_has, &d->values[n]);
    }
    for (uint32_t n = 0; n < OWN_NAMES; n++) {
        d->values[plan->value_count + n] = own[n];
        d->has[plan->value_count + n] = true;
    }
    if (d->tops) {
        read_lists(d, k);
    }
}

static bool agrees(session *d, int fn)
{
    tw_result result = {d->names, d->values, d->has, d->result_count, d->tops};
    bool holds = false;

    return fn == TW_NO_FN ||
           (d->env.script->cls->test_result(d->env.script, fn, &result, &holds) == 0 &&
            holds);
}

bool session_holds(session *d, session_key *k)
{
    read_values(d, k);
    return agrees(d, d->plan->where_fn) &&
           (!d->rule->incident.set || agrees(d, d->rule->incident.when_fn));
}

static void send(session *d, uint32_t number, tw_signal_kind kind, int64_t at_ms,
                 const char *closed, const char *reason)
{
    session_key *k = tw_keyed_at(d->keys, number);
    tw_value facts[TW_SESSION_FACTS] = {closed ? tw_value_string(closed, strlen(closed))
                                               : tw_value_absent()};
    const tw_kept *evidence[] = {&k->first, &k->newest};
    bool whole = kind == TW_SIGNAL_OCCURRENCE;
    tw_occurrence o = {.kind = kind,
                       .key = tw_keyed_key(d->keys, number),
                       .at_ms = at_ms,
                       .seq = d->seq,
                       .start_ms = k->start_ms,
                       .stop_ms = k->stop_ms,
                       .first = &k->first,
                       .newest = &k->newest,
                       .evidence = k->count > 1 ? evidence : NULL,
                       .evidence_count = k->count > 1 ? 2 : 0,
                       .facts = facts,
                       .reason = reason};

    if (whole) { /* without start and stop, which the signal has anyway */
        o.result = (tw_result){d->names, d->values, d->has, d->result_count - 2, d->tops};
        o.approx = d->approx;
    }
    tw_occurrence_tell(d->rule, &d->env, &o);
}

void session_tell(session *d, uint32_t number, int64_t at_ms, const char *closed)
{
    session_key *k = tw_keyed_at(d->keys, number);
    int64_t until_ms = at_ms + d->rule->incident.resolve_after_ms;

    send(d, number, TW_SIGNAL_OCCURRENCE, at_ms, closed, NULL);
    k->told = true;
    k->open_until_ms = until_ms > k->open_until_ms ? until_ms : k->open_until_ms;
}

void session_tell_gone(session *d, uint32_t number, int64_t at_ms, const char *reason)
{
    session_key *k = tw_keyed_at(d->keys, number);

    if (k->open_until_ms > at_ms) {
        send(d, number, TW_SIGNAL_RESOLVE, at_ms, NULL, reason);
    }
}
