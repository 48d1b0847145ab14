// SPDX-License-Identifier: Apache-2.0
/* The table of alerts; see alerts.h. Lifetimes are those of Prometheus' own sender: a
 * firing alert ends four resends from now unless it is sent again, so two lost sends are
 * forgiven and an engine that is gone does not leave its alerts behind. */
#include "alertmanager/alerts.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "shared/alert_json.h"
#include "shared/settings.h"

#define LIFETIME_IN_RESENDS 4

static int by_identity(const void *a, const void *b)
{
    return strcmp(((const alert *)a)->identity, ((const alert *)b)->identity);
}

static int by_incident(const void *a, const void *b)
{
    return strcmp(((const alert *)a)->incident, ((const alert *)b)->incident);
}

static alert *find(const alert *wanted, void *const *tree,
                   int (*order)(const void *, const void *))
{
    alert *const *found = tfind(wanted, tree, order);
    return found ? *found : NULL;
}

static void keep(alert *a, void **tree, int (*order)(const void *, const void *))
{
    if (!tsearch(a, tree, order))
        abort();
}

/* ---- life ---- */

void alerts_init(alert_table *t, const alert_options *options)
{
    *t = (alert_table){.options = *options};
}

void alerts_done(alert_table *t)
{
    while (t->first)
        alerts_remove(t, t->first);
}

static bool is_firing(const alert *a)
{
    return a->ends_at_ms == TW_NO_TIME;
}

void alerts_remove(alert_table *t, alert *a)
{
    *(a->previous ? &a->previous->next : &t->first) = a->next;
    *(a->next ? &a->next->previous : &t->last) = a->previous;
    tdelete(a, &t->by_identity, by_identity);
    if (find(a, &t->by_incident, by_incident) == a)
        tdelete(a, &t->by_incident, by_incident);
    t->count--;
    t->firing -= is_firing(a);
    json_decref(a->labels);
    json_decref(a->annotations);
    free(a->identity);
    free(a->incident);
    free(a->generator_url);
    free(a);
}

/* ---- what a record says ---- */

static json_t *labels_of(const alert_table *t, const tw_record *r)
{
    json_t *labels = alert_labels(r, t->options.utf8);

    json_object_update_missing(labels, t->options.labels);
    return labels;
}

static alert *add(alert_table *t, char *identity, json_t *labels)
{
    alert *a = shared_alloc(sizeof *a);

    *a = (alert){.previous = t->last,
                 .identity = identity,
                 .labels = labels,
                 .ends_at_ms = TW_NO_TIME,
                 .sent_ms = TW_NO_TIME};
    *(t->last ? &t->last->next : &t->first) = a;
    t->last = a;
    t->count++;
    t->firing++;
    keep(a, &t->by_identity, by_identity);
    return a;
}

static alert *known_or_new(alert_table *t, const tw_record *r)
{
    json_t *labels = labels_of(t, r);
    char *identity = json_dumps(labels, JSON_COMPACT | JSON_SORT_KEYS);
    alert *a = find(&(alert){.identity = identity}, &t->by_identity, by_identity);

    if (!a)
        return add(t, identity, labels);
    free(identity);
    json_decref(labels);
    return a;
}

static void end_alert(alert_table *t, alert *a, int64_t ends_at_ms, int64_t now_ms)
{
    if (!is_firing(a))
        return;
    /* An end that is still to come would mean that it fires. */
    a->ends_at_ms = ends_at_ms < 0 || ends_at_ms > now_ms ? now_ms : ends_at_ms;
    a->ended_ms = now_ms;
    a->sent_ms = TW_NO_TIME;
    t->firing--;
}

/* Makes a the newest of its incident. Whatever was, under other labels, has ended. */
static void take_over(alert_table *t, alert *a, const char *incident, int64_t now_ms)
{
    alert *before = find(&(alert){.incident = (char *)(uintptr_t)incident},
                         &t->by_incident, by_incident);

    if (before == a)
        return;
    if (before) {
        t->urgent |= is_firing(before);
        end_alert(t, before, now_ms, now_ms);
        tdelete(before, &t->by_incident, by_incident);
    }
    if (a->incident && find(a, &t->by_incident, by_incident) == a)
        tdelete(a, &t->by_incident, by_incident);
    free(a->incident);
    a->incident = shared_strdup(incident);
    keep(a, &t->by_incident, by_incident);
}

alert *alerts_put(alert_table *t, const tw_record *r, int64_t now_ms)
{
    alert *a = known_or_new(t, r);

    take_over(t, a, r->incident, now_ms);
    json_decref(a->annotations);
    a->annotations = alert_annotations(r);
    free(a->generator_url);
    a->generator_url = alert_generator_url(t->options.external_url, r->incident);
    a->starts_at_ms = r->starts_at_ms;
    if (strcmp(r->status, "resolved") == 0) {
        end_alert(t, a, r->ends_at_ms, now_ms);
    } else if (!is_firing(a)) {
        a->ends_at_ms = TW_NO_TIME;
        t->firing++;
    }
    return a;
}

/* ---- what is to be sent ---- */

/* Who looks at regular times finds some alerts a moment too early: half a look's distance
 * (an eighth of the resend) counts as due. */
static bool is_due(const alert_table *t, const alert *a, int64_t now_ms)
{
    int64_t resend_ms = t->options.resend_ms;

    return a->sent_ms == TW_NO_TIME || a->sent_ms + resend_ms - resend_ms / 8 <= now_ms;
}

size_t alerts_due(alert_table *t, alert **out, size_t max, int64_t now_ms)
{
    size_t count = 0;

    for (alert *a = t->first, *next; a && count < max; a = next) {
        next = a->next;
        if (!is_firing(a) && now_ms - a->ended_ms > t->options.resolved_for_ms)
            alerts_remove(t, a);
        else if (is_due(t, a, now_ms))
            alerts_pick(out, &count, a);
    }
    return count;
}

void alerts_pick(alert **list, size_t *count, alert *a)
{
    if (a->picked)
        return;
    a->picked = true;
    list[(*count)++] = a;
}

/* Alertmanager refuses an alert that ends before it starts, and with it says 400 to all. */
static json_t *describe(const alert_table *t, const alert *a, int64_t now_ms)
{
    char start[ALERT_TIME_SIZE], end[ALERT_TIME_SIZE];
    int64_t starts_at_ms = a->starts_at_ms < now_ms ? a->starts_at_ms : now_ms;
    int64_t ends_at_ms = is_firing(a)
                             ? now_ms + LIFETIME_IN_RESENDS * t->options.resend_ms
                             : a->ends_at_ms;

    if (starts_at_ms > ends_at_ms)
        starts_at_ms = ends_at_ms;
    json_t *o = json_pack("{s:O, s:O, s:s, s:s}", "labels", a->labels, "annotations",
                          a->annotations, "startsAt", alert_time(starts_at_ms, start),
                          "endsAt", alert_time(ends_at_ms, end));
    if (a->generator_url[0])
        json_object_set_new(o, "generatorURL", json_string(a->generator_url));
    return o;
}

char *alerts_write(const alert_table *t, alert *const *list, size_t count, int64_t now_ms)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        list[i]->picked = false;
        json_array_append_new(array, describe(t, list[i], now_ms));
    }
    char *text = json_dumps(array, JSON_COMPACT);
    json_decref(array);
    if (!text)
        abort();
    return text;
}
