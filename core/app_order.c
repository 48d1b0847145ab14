// SPDX-License-Identifier: Apache-2.0
/* Invariant: of the rules of a circle, incidents know no clock beyond swept_ms, and every signal up to it has been
 * handed over. A circle has the number of one of its rules. */
#include "app_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "signal_state.h"

#define FORMAT 1

typedef struct waiting {
    tw_signal *signal;
    uint64_t number; /* of its arrival */
} waiting;

/* Rules whose incidents depend on each other's: those of one `inhibited_by`, or one rule with a group or
 * a storm. */
typedef struct circle {
    int64_t swept_ms; /* incidents know no later clock of these rules */
    int64_t until_ms; /* how far it may go now */
    bool by_wall;     /* none of its rules has a clock, and the wall's time is theirs */
    waiting *heap;    /* by time, rule and arrival */
    uint32_t count, room;
} circle;

struct tw_app_order {
    tw_incidents *incidents;
    char *
        *rules; /* names, sorted; a set dies before what its rules said is handed over */
    uint32_t rule_count;
    uint32_t *circle_of; /* by rule; NONE: its signals go on at once */
    circle *circles;     /* by the number of one of its rules */
    tw_rule_time *times; /* the last ones */
    bool *idle;          /* the same, once what they bring has been handed over */
    uint64_t arrived;
};

#define NONE UINT32_MAX

tw_app_order *tw_app_order_new(tw_incidents *incidents)
{
    tw_app_order *o = tw_alloc(sizeof *o);

    o->incidents = incidents;
    return o;
}

void tw_app_order_serve(tw_app_order *o, tw_incidents *incidents)
{
    o->incidents = incidents;
}

static void forget_rules(tw_app_order *o)
{
    for (uint32_t i = 0; i < o->rule_count; i++) {
        tw_free(o->circles[i].heap);
        tw_free(o->rules[i]);
    }
    tw_free(o->rules);
    tw_free(o->circle_of);
    tw_free(o->circles);
    tw_free(o->times);
    tw_free(o->idle);
}

void tw_app_order_free(tw_app_order *o)
{
    if (!o)
        return;
    for (uint32_t i = 0; i < o->rule_count; i++)
        for (uint32_t k = 0; k < o->circles[i].count; k++)
            tw_signal_free(o->circles[i].heap[k].signal);
    forget_rules(o);
    tw_free(o);
}

/* ---- which rules ------------------------------------------------------------------- */

static int64_t find_rule(const tw_app_order *o, const char *name)
{
    uint32_t low = 0, high = o->rule_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(o->rules[middle], name);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* Both, and whoever either is with already, are in one circle from now on. */
static void join(tw_app_order *o, uint32_t a, uint32_t b)
{
    uint32_t to = o->circle_of[a] == NONE ? a : o->circle_of[a];
    uint32_t from = o->circle_of[b] == NONE ? b : o->circle_of[b];

    if (o->circle_of[a] == to && o->circle_of[b] == to)
        return;
    o->circle_of[a] = o->circle_of[b] = to;
    for (uint32_t i = 0; i < o->rule_count; i++)
        if (o->circle_of[i] == from)
            o->circle_of[i] = to;
}

static bool is_key(const tw_rule *rule, const char *name)
{
    for (uint32_t i = 0; i < rule->key_count; i++)
        if (strcmp(rule->key_names[i], name) == 0)
            return true;
    return false;
}

static bool may_reach(const tw_rule *rule, const char *level)
{
    const tw_level_plan *plan = &rule->level;

    if (rule->detector == TW_DETECT_HANDLER)
        return true;
    if (rule->detector != TW_DETECT_LEVEL)
        return strcmp(tw_level_name(rule->incident.severity), level) == 0;
    for (int i = TW_LEVEL_INFO; i < TW_LEVELS; i++)
        if (plan->levels[i].used && strcmp(tw_level_name((tw_level)i), level) == 0)
            return true;
    return strcmp(level, tw_level_name(TW_LEVEL_UNKNOWN)) == 0;
}

/* What can be known before anything fires: names of labels, and values that are written out. */
static bool may_have(const tw_rule *rule, const tw_label_is *is)
{
    const tw_incident_plan *plan = &rule->incident;

    if (rule->detector == TW_DETECT_HANDLER || is_key(rule, is->name))
        return true; /* ctx.fire may give any label */
    for (uint32_t i = 0; i < plan->label_count; i++) {
        const tw_template *t = &plan->labels[i].value;
        if (strcmp(plan->labels[i].name, is->name) != 0)
            continue;
        bool is_plain = t->count == 1 && t->parts[0].kind == TW_PART_LITERAL;
        return !is_plain || strcmp(t->parts[0].text, is->value) == 0;
    }
    if (strcmp(is->name, "severity") == 0)
        return may_reach(rule, is->value);
    return strcmp(is->name, "rule") == 0 && strcmp(rule->name, is->value) == 0;
}

/* Whether an incident of the rule may be one that `match` means. */
static bool may_match(const tw_rule *rule, const tw_inhibitor *by)
{
    for (uint32_t i = 0; i < by->match_count; i++)
        if (!may_have(rule, &by->match[i]))
            return false;
    return rule->incident.set;
}

static void join_inhibitor(tw_app_order *o, const tw_ruleset *set, uint32_t rule,
                           const tw_inhibitor *by)
{
    int64_t number = by->rule ? find_rule(o, by->rule) : -1;

    join(o, rule, number >= 0 ? (uint32_t)number : rule);
    for (uint32_t i = 0; !by->rule && i < o->rule_count; i++)
        if (may_match(set->rules[i], by))
            join(o, rule, i);
}

/* ---- the heap ---------------------------------------------------------------------- */

/* At one instant rules come in the order of their names: which clock was faster must not matter. */
static bool comes_before(const waiting *a, const waiting *b)
{
    if (a->signal->at_ms != b->signal->at_ms)
        return a->signal->at_ms < b->signal->at_ms;
    int order = strcmp(a->signal->rule->name, b->signal->rule->name);
    return order ? order < 0 : a->number < b->number;
}

static void push(circle *c, waiting w)
{
    uint32_t at = c->count++;

    if (c->count > c->room) {
        c->room = c->room ? 2 * c->room : 64;
        c->heap = tw_realloc(c->heap, c->room * sizeof *c->heap);
    }
    for (; at > 0 && comes_before(&w, &c->heap[(at - 1) / 2]); at = (at - 1) / 2)
        c->heap[at] = c->heap[(at - 1) / 2];
    c->heap[at] = w;
}

static tw_signal *pop(circle *c)
{
    tw_signal *first = c->heap[0].signal;
    waiting last = c->heap[--c->count];
    uint32_t at = 0;

    for (uint32_t child; (child = 2 * at + 1) < c->count; at = child) {
        if (child + 1 < c->count && comes_before(&c->heap[child + 1], &c->heap[child]))
            child++;
        if (!comes_before(&c->heap[child], &last))
            break;
        c->heap[at] = c->heap[child];
    }
    c->heap[at] = last;
    return first;
}

/* ---- in and out -------------------------------------------------------------------- */

/* The circle of a rule; NULL: its signals go on at once. */
static circle *circle_of(const tw_app_order *o, const tw_rule *rule)
{
    int64_t number = find_rule(o, rule->name);
    uint32_t c = number >= 0 ? o->circle_of[number] : NONE;

    return c != NONE ? &o->circles[c] : NULL;
}

void tw_app_order_signal(tw_app_order *o, const tw_signal *s)
{
    circle *c = circle_of(o, s->rule);

    if (c)
        push(c, (waiting){tw_signal_copy(s), o->arrived++});
    else
        tw_incidents_signal(o->incidents, s);
}

static void put(tw_app_order *o, waiting w)
{
    circle *c = circle_of(o, w.signal->rule);

    if (c) {
        push(c, w);
        return;
    }
    tw_incidents_signal(o->incidents, w.signal);
    tw_signal_free(w.signal);
}

/* What waits, circle by circle. */
static waiting *list_all(const tw_app_order *o, uint64_t *out_count)
{
    waiting *all = tw_calloc(1, sizeof *all);
    uint64_t count = 0;

    for (uint32_t i = 0; i < o->rule_count; i++) {
        const circle *c = &o->circles[i];
        all = tw_realloc(all, (count + c->count + 1) * sizeof *all);
        if (c->count > 0)
            memcpy(all + count, c->heap, c->count * sizeof *all);
        count += c->count;
    }
    *out_count = count;
    return all;
}

static void set_rules(tw_app_order *o, const tw_ruleset *set)
{
    forget_rules(o);
    o->rule_count = set->rule_count;
    o->rules = tw_calloc(set->rule_count + 1, sizeof *o->rules);
    o->circle_of = tw_calloc(set->rule_count + 1, sizeof *o->circle_of);
    o->circles = tw_calloc(set->rule_count + 1, sizeof *o->circles);
    o->times = tw_calloc(set->rule_count + 1, sizeof *o->times);
    o->idle = tw_calloc(set->rule_count + 1, sizeof *o->idle);
    for (uint32_t i = 0; i < set->rule_count; i++) {
        o->rules[i] = tw_strdup(set->rules[i]->name);
        o->circle_of[i] = NONE;
        o->circles[i].swept_ms = o->times[i].clock_ms = TW_TIME_NONE;
    }
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const tw_incident_plan *plan = &set->rules[i]->incident;
        if (plan->group.set || plan->storm.set)
            join(o, i, i);
        for (uint32_t k = 0; k < plan->inhibitor_count; k++)
            join_inhibitor(o, set, i, &plan->inhibitors[k]);
    }
}

/* What waits goes on waiting: an edit may fall at any time. */
void tw_app_order_rules(tw_app_order *o, const tw_ruleset *set)
{
    uint64_t count;
    waiting *all = list_all(o, &count);

    set_rules(o, set);
    for (uint64_t i = 0; i < count; i++)
        put(o, all[i]);
    tw_free(all);
}

static int64_t time_of(const tw_rule_time *t)
{
    return t->clock_ms == TW_TIME_NONE && t->waited_ms ? t->waited_ms : t->clock_ms;
}

int64_t tw_app_order_clock(const tw_app_order *o, const char *rule)
{
    int64_t number = find_rule(o, rule);

    if (number < 0)
        return TW_TIME_NONE;
    uint32_t c = o->circle_of[number];
    return c == NONE ? time_of(&o->times[number]) : o->circles[c].swept_ms;
}

bool tw_app_order_idle(const tw_app_order *o, const char *rule)
{
    int64_t number = find_rule(o, rule);

    return number >= 0 && o->idle[number];
}

static int64_t clock_port(void *self, const char *rule)
{
    return tw_app_order_clock(self, rule);
}

static void limit(tw_app_order *o, uint32_t rule, int64_t time_ms)
{
    uint32_t c = o->circle_of[rule];

    if (c != NONE && time_ms != TW_TIME_NONE && time_ms < o->circles[c].until_ms)
        o->circles[c].until_ms = time_ms;
}

/* The first event's time may be an old one: incidents go back to it with the rules. */
static void begin_clock(circle *c)
{
    if (c->by_wall)
        c->swept_ms = TW_TIME_NONE;
    c->by_wall = false;
}

/* How far each circle may go: its earliest clock, or where none of its rules has one, the wall's time if one waits
 * by it. A rule that has none yet has said nothing, but by the wall, and holds up nobody. */
static void set_limits(tw_app_order *o, bool clocks_count)
{
    for (uint32_t i = 0; i < o->rule_count; i++)
        o->circles[i].until_ms = INT64_MAX;
    for (uint32_t i = 0; clocks_count && i < o->rule_count; i++)
        limit(o, i, o->times[i].clock_ms);
    for (uint32_t c = 0; clocks_count && c < o->rule_count; c++)
        if (o->circles[c].until_ms != INT64_MAX)
            begin_clock(&o->circles[c]);
        else
            o->circles[c].by_wall = true;
    for (uint32_t i = 0; clocks_count && i < o->rule_count; i++)
        if (o->circle_of[i] != NONE && o->circles[o->circle_of[i]].by_wall)
            limit(o, i, o->times[i].waited_ms ? o->times[i].waited_ms : TW_TIME_NONE);
}

/* Deadlines before a signal's time come before it. */
static void sweep(tw_app_order *o, circle *c)
{
    while (c->count > 0 && c->heap[0].signal->at_ms <= c->until_ms) {
        tw_signal *s = pop(c);
        if (s->at_ms > c->swept_ms) {
            c->swept_ms = s->at_ms;
            tw_incidents_advance(o->incidents, clock_port, o, false);
        }
        tw_incidents_signal(o->incidents, s);
        tw_signal_free(s);
    }
    if (c->until_ms != INT64_MAX && c->until_ms > c->swept_ms)
        c->swept_ms = c->until_ms;
}

void tw_app_order_rule_gone(tw_app_order *o, const tw_rule *rule)
{
    circle *c = circle_of(o, rule);
    uint32_t kept = 0, count = c ? c->count : 0;
    waiting *all = tw_calloc(count + 1, sizeof *all);

    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = c->heap[0].number;
        tw_signal *s = pop(c);
        if (strcmp(s->rule->name, rule->name) != 0) {
            all[kept++] = (waiting){s, number};
            continue;
        }
        tw_incidents_signal(o->incidents, s);
        tw_signal_free(s);
    }
    for (uint32_t i = 0; i < kept; i++)
        push(c, all[i]);
    tw_free(all);
}

void tw_app_order_advance(tw_app_order *o, const tw_rule_time *times)
{
    if (times && o->rule_count > 0)
        memcpy(o->times, times, o->rule_count * sizeof *times);
    set_limits(o, times != NULL);
    for (uint32_t c = 0; c < o->rule_count; c++)
        if (o->circle_of[c] == c)
            sweep(o, &o->circles[c]);
    for (uint32_t i = 0; i < o->rule_count; i++)
        o->idle[i] = o->times[i].idle;
    tw_incidents_advance(o->incidents, clock_port, o, false);
}

/* ---- state ------------------------------------------------------------------------- */

static int by_arrival(const void *pa, const void *pb)
{
    const waiting *a = pa, *b = pb;
    return (a->number > b->number) - (a->number < b->number);
}

/* How far a circle was swept is not kept: its clocks, which lanes keep, say it anew. */
void tw_app_order_save(const tw_app_order *o, tw_buf *out)
{
    uint64_t count;
    waiting *all = list_all(o, &count);

    qsort(all, count, sizeof *all, by_arrival);
    tw_state_put_u64(out, FORMAT);
    tw_state_put_u64(out, count);
    for (uint64_t i = 0; i < count; i++)
        tw_signal_save(all[i].signal, out);
    tw_free(all);
}

int tw_app_order_load(tw_app_order *o, const void *data, size_t size, tw_rule_finder find,
                      tw_err *err)
{
    tw_state_in in = tw_state_in_of(data, size);
    uint64_t format = 0, count = 0;
    bool good = tw_state_take_u64(&in, &format) && format == FORMAT &&
                tw_state_take_u64(&in, &count);

    for (uint64_t i = 0; good && i < count; i++) {
        tw_signal *s;
        good = tw_signal_load(&in, find, &s);
        if (s)
            put(o, (waiting){s, o->arrived++});
    }
    return good && in.at == in.end
               ? TW_OK
               : tw_err_set(err, TW_EPARSE, "the saved signals that wait are broken");
}
