// SPDX-License-Identifier: Apache-2.0
/* One run of one test: its feed, disturbed or not, through a replay of its own, and what left. Everything
 * that happens at one instant happens in this order: deeds (silences, reloads, ..), then events. */
#include "ruletest_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/table_view.h"

#define DAY_MS INT64_C(86400000)
#define SETTLE_MS 1000
#define SETTLES                                                                          \
    3 /* rules that read what others emit come to their end one after the other */
#define MOST_SETTLES 20
#define STALLED_PARTITION 1000000

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- what leaves ------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static tw_test_leaves leaves_of(const json_t *o)
{
    if (strcmp(text_of(o, "status"), "resolved") == 0)
        return TW_LEAVES_OK;
    if (json_is_true(json_object_get(o, "storm")))
        return TW_LEAVES_SUMMARY;
    for (int i = TW_LEAVES_INFO; i < TW_LEAVES_OK; i++)
        if (strcmp(text_of(o, "level"), tw_test_leaves_names[i]) == 0)
            return (tw_test_leaves)i;
    return TW_LEAVES_UNKNOWN;
}

static void on_output(void *self, int64_t at_ms, const json_t *object)
{
    tw_test_run *run = self;
    const char *type = text_of(object, "type");

    if (strcmp(type, "signal") == 0) { /* asked for by coverage alone */
        tw_test_run_found(run, object);
        return;
    }
    tw_left left = {.at_ms = at_ms - run->test->start_ms,
                    .order = run->left_count,
                    .leaves = TW_LEAVES_LATE,
                    .expect = -1};

    if (strcmp(type, "notification") == 0)
        left.leaves = leaves_of(object);
    else if (strcmp(type, "event") == 0)
        left.leaves = TW_LEAVES_EMIT;
    else if (strcmp(type, "late") != 0)
        left.is_change = true;
    if (run->reached && left.is_change && left.at_ms <= run->test->end_ms)
        tw_test_run_reached(run, object);
    if (run->reached && left.leaves == TW_LEAVES_EMIT)
        tw_test_run_emitted(run, object);
    if (left.at_ms > run->test->end_ms + run->tolerance_ms)
        return;
    if ((run->left_count & (run->left_count - 1)) == 0)
        run->left =
            tw_realloc(run->left, (run->left_count ? 2 * (size_t)run->left_count : 1) *
                                      sizeof *run->left);
    left.object = json_incref((json_t *)(uintptr_t)object);
    run->left[run->left_count++] = left;
}

static int compare_left(const void *pa, const void *pb)
{
    const tw_left *a = pa, *b = pb;

    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

/* ---- look-ups ---------------------------------------------------------------------- */

static json_t *table_row(void *self, const char *table, const char *key, int64_t at_ms)
{
    const tw_test_run *run = self;

    return json_incref(tw_rows_at(tw_table_view_rows(run->tables, table), key, at_ms));
}

/* The tables of the test before those of the world. */
static tw_table_view *tables_of(const tw_test_run *run)
{
    json_t *own = run->test->tables, *rows;
    uint32_t n = 0, own_count;
    const char *name;
    tw_table_part *parts =
        tw_calloc(json_object_size(own) + run->world->table_count + 1, sizeof *parts);

    json_object_foreach(own, name, rows)
    {
        parts[n++] =
            (tw_table_part){name, tw_rows_of_json(rows, run->test->start_ms), NULL};
    }
    own_count = n;
    for (uint32_t i = 0; i < run->world->table_count; i++)
        if (!json_object_get(own, run->world->tables[i].name))
            parts[n++] = run->world->tables[i];
    tw_table_view *view = tw_table_view_of(parts, n);
    for (uint32_t i = 0; i < own_count; i++)
        tw_rows_unref(parts[i].rows);
    tw_free(parts);
    return view;
}

/* ---- disturbances of the feed ------------------------------------------------------ */

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 (Steele et al.) */

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void disturb(tw_test_run *run, const tw_disturbance *d)
{
    uint64_t state = run->seed;
    uint32_t n = run->arrival_count;

    switch (d->kind) {
    case TW_DISTURB_SHUFFLE:
        for (uint32_t i = 0; i < n; i++)
            run->arrivals[i].at_ms +=
                (int64_t)(next_random(&state) % ((uint64_t)d->ms + 1));
        run->bound_ms += d->ms;
        break;
    case TW_DISTURB_DELAY:
        for (uint32_t i = 0; i < n; i++)
            run->arrivals[i].at_ms += d->ms;
        run->bound_ms += d->ms;
        break;
    case TW_DISTURB_DUPLICATE:
        run->arrivals = tw_realloc(run->arrivals, 2 * (size_t)n * sizeof *run->arrivals);
        for (uint32_t i = n; i-- > 0;) {
            run->arrivals[2 * i] = run->arrivals[i];
            run->arrivals[2 * i + 1] = run->arrivals[2 * i];
        }
        run->arrival_count = 2 * n;
        break;
    case TW_DISTURB_FUTURE:
        for (uint32_t i = 0; i < n; i++)
            run->arrivals[i].stamp_ms += DAY_MS;
        break;
    case TW_DISTURB_STALL:
    case TW_DISTURB_RELOAD:
    case TW_DISTURB_REBALANCE:
    case TW_DISTURB_RESTART:
    case TW_DISTURB_LANES:
        break;
    }
}

static int compare_arrivals(const void *pa, const void *pb)
{
    const tw_test_arrival *a = pa, *b = pb;

    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static void plan_arrivals(tw_test_run *run)
{
    const tw_rule_test *test = run->test;

    run->arrivals = tw_calloc(test->event_count + 1, sizeof *run->arrivals);
    run->arrival_count = test->event_count;
    for (uint32_t i = 0; i < test->event_count; i++)
        run->arrivals[i] = (tw_test_arrival){.at_ms = test->events[i].at_ms,
                                             .stamp_ms = test->events[i].at_ms,
                                             .event = i};
    for (uint32_t i = 0; run->vary && i < run->vary->count; i++)
        disturb(run, &run->vary->items[i]);
    for (uint32_t i = 0; i < run->arrival_count; i++)
        run->arrivals[i].order = i;
    if (run->vary && run->arrival_count)
        qsort(run->arrivals, run->arrival_count, sizeof *run->arrivals, compare_arrivals);
}

/* ---- deeds ------------------------------------------------------------------------- */

typedef struct deed {
    int64_t at_ms;
    const tw_disturbance *disturbance; /* else the silence */
    const tw_test_silence *silence;
    uint32_t number;
} deed;

static int compare_deeds(const void *pa, const void *pb)
{
    const deed *a = pa, *b = pb;

    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static deed *plan_deeds(const tw_test_run *run, uint32_t *out_count)
{
    const tw_rule_test *test = run->test;
    uint32_t varied = run->vary ? run->vary->count : 0, n = 0;
    deed *deeds = tw_calloc(test->silence_count + varied + 1, sizeof *deeds);

    for (uint32_t i = 0; i < test->silence_count; i++, n++)
        deeds[n] = (deed){test->silences[i].from_ms, NULL, &test->silences[i], n};
    for (uint32_t i = 0; i < varied; i++) {
        const tw_disturbance *d = &run->vary->items[i];
        if (d->kind >= TW_DISTURB_STALL && d->kind <= TW_DISTURB_RESTART) {
            deeds[n] = (deed){d->ms, d, NULL, n};
            n++;
        }
    }
    if (n > 1)
        qsort(deeds, n, sizeof *deeds, compare_deeds);
    *out_count = n;
    return deeds;
}

static int do_silence(tw_test_run *run, const deed *d)
{
    int64_t start_ms = run->test->start_ms;
    json_t *line = json_pack(
        "{s:I, s:s, s:o, s:O, s:I, s:I, s:s}", "at", (json_int_t)(start_ms + d->at_ms),
        "do", "silence", "id", json_sprintf("s%u", d->number + 1), "match",
        d->silence->match, "from", (json_int_t)(start_ms + d->silence->from_ms), "until",
        (json_int_t)(start_ms + d->silence->to_ms), "by", "test");
    char *text = json_dumps(line, JSON_COMPACT);
    int rc = tw_replay_line(run->replay, text, strlen(text), &run->err);

    free(text);
    json_decref(line);
    return rc;
}

/* Each partition of each stream of the feed, or one more of each stream. */
static int assign(tw_test_run *run, bool stalled, bool assigned)
{
    const tw_rule_test *test = run->test;
    bool *seen = tw_calloc(test->line_count + 1, sizeof *seen);
    int rc = TW_OK;

    for (uint32_t i = 0; i < test->event_count && rc == TW_OK; i++) {
        const tw_test_event *ev = &test->events[i];
        if (!seen[ev->line])
            rc = tw_replay_assign(run->replay, test->lines[ev->line].stream,
                                  stalled ? STALLED_PARTITION : ev->partition, assigned,
                                  &run->err);
        seen[ev->line] = true;
    }
    tw_free(seen);
    return rc;
}

static int do_deed(tw_test_run *run, const deed *d)
{
    if (d->silence)
        return do_silence(run, d);
    switch (d->disturbance->kind) {
    case TW_DISTURB_STALL:
        return assign(run, true, true);
    case TW_DISTURB_RELOAD:
        return tw_replay_switch(run->replay, run->files, &run->err);
    case TW_DISTURB_REBALANCE:
        if (assign(run, false, false) < 0)
            return run->err.code;
        return assign(run, false, true);
    case TW_DISTURB_RESTART:
        return tw_replay_restart(run->replay, &run->err);
    case TW_DISTURB_SHUFFLE:
    case TW_DISTURB_DELAY:
    case TW_DISTURB_DUPLICATE:
    case TW_DISTURB_FUTURE:
    case TW_DISTURB_LANES:
        break;
    }
    return TW_OK;
}

/* ---- the run ----------------------------------------------------------------------- */

static int open_replay(tw_test_run *run)
{
    tw_findings findings = {0};
    tw_table_view *view = tables_of(run);
    tw_replay_options options = {
        .files = run->files,
        .table_view = view,
        .streams = (tw_streams *)(uintptr_t)tw_rule_files_streams(run->files),
        .lookup = {table_row, run},
        .lanes = run->lanes,
        .all = true,
        .signals = run->reached != NULL,
        .until_ms = TW_TIME_NONE,
        .output = on_output,
        .output_self = run};

    run->tables = view;
    run->replay = tw_replay_new(&options, &findings, &run->err);
    tw_findings_done(&findings);
    return run->replay ? TW_OK : run->err.code ? run->err.code : TW_EINVAL;
}

static int feed(tw_test_run *run, const tw_test_arrival *a)
{
    const tw_rule_test *test = run->test;
    const tw_test_event *ev = &test->events[a->event];

    int rc = tw_replay_move(run->replay, test->start_ms + a->at_ms, &run->err);
    if (rc == TW_OK)
        rc = tw_replay_event(run->replay, test->lines[ev->line].stream, ev->partition,
                             ev->json, ev->size, test->start_ms + a->stamp_ms, &run->err);
    return rc;
}

static int feed_all(tw_test_run *run, const deed *deeds, uint32_t deed_count)
{
    int rc = tw_replay_move(run->replay, run->test->start_ms, &run->err);
    uint32_t next = 0;

    for (uint32_t i = 0; i <= run->arrival_count && rc == TW_OK; i++) {
        int64_t until_ms =
            i < run->arrival_count ? run->arrivals[i].at_ms : run->test->end_ms;
        for (; next < deed_count && deeds[next].at_ms <= until_ms && rc == TW_OK;
             next++) {
            rc = tw_replay_move(run->replay, run->test->start_ms + deeds[next].at_ms,
                                &run->err);
            if (rc == TW_OK)
                rc = do_deed(run, &deeds[next]);
        }
        if (rc == TW_OK && i < run->arrival_count)
            rc = feed(run, &run->arrivals[i]);
    }
    return rc;
}

/* How far the slowest clock of a rule is from having passed the end; 0: none is. */
static int64_t behind_end(const tw_test_run *run)
{
    const tw_engine *e = tw_replay_engine(run->replay);
    int64_t end_ms = run->test->start_ms + run->test->end_ms, behind_ms = 0;

    for (uint32_t i = 0; i < tw_engine_rules(e)->rule_count; i++) {
        int64_t clock_ms = tw_engine_rule_clock(e, i);
        if (clock_ms != TW_TIME_NONE && clock_ms <= end_ms)
            behind_ms = max_of(behind_ms, end_ms + 1 - clock_ms);
    }
    return behind_ms;
}

/* Lets everything become known that was decided up to the end of the test: the clocks of rules walk on past
 * it, however far event time is behind arrival. */
static int settle(tw_test_run *run, int64_t longest_ms)
{
    int64_t at_ms = run->test->start_ms + run->test->end_ms + run->bound_ms,
            behind_ms = 0;
    int rc = TW_OK;

    for (int i = 0; i < MOST_SETTLES && rc == TW_OK && (i < SETTLES || behind_ms); i++) {
        at_ms += max_of(longest_ms, behind_ms) + SETTLE_MS;
        rc = tw_replay_move(run->replay, at_ms, &run->err);
        behind_ms = behind_end(run);
    }
    return rc;
}

static int64_t measure_rules(tw_test_run *run)
{
    int64_t longest_ms = 0;

    for (uint32_t i = 0; i < tw_rule_files_rule_count(run->files); i++) {
        const tw_rule *rule = tw_rule_files_rule(run->files, i);
        longest_ms = max_of(longest_ms, rule->lateness_ms + rule->idle_ms);
        if (rule->lateness_ms < run->bound_ms)
            run->tolerance_ms = run->bound_ms;
    }
    return longest_ms;
}

int tw_test_run_drive(tw_test_run *run)
{
    uint32_t deed_count;

    plan_arrivals(run);
    int64_t longest_ms = measure_rules(run);
    deed *deeds = plan_deeds(run, &deed_count);
    int rc = open_replay(run);
    if (rc == TW_OK)
        rc = feed_all(run, deeds, deed_count);
    if (rc == TW_OK)
        rc = settle(run, longest_ms);
    tw_replay_free(run->replay);
    run->replay = NULL;
    tw_table_view_unref(run->tables);
    tw_free(deeds);
    if (run->left_count > 1)
        qsort(run->left, run->left_count, sizeof *run->left, compare_left);
    return rc;
}

void tw_test_run_done(tw_test_run *run)
{
    for (uint32_t i = 0; i < run->left_count; i++)
        json_decref(run->left[i].object);
    tw_free(run->left);
    tw_free(run->arrivals);
    tw_free(run->matched);
}
