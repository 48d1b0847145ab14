// SPDX-License-Identifier: Apache-2.0
/* A run that did not hold, as text for a terminal: what is missing, what is too much, where the two nearly met, and
 * the timeline of all of it. */
#include "ruletest_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"

#define WIDTH 100 /* of what is shown of an event */
#define MAX_ROWS 60

typedef enum row_kind { ROW_FEED, ROW_LEFT, ROW_MISSING } row_kind;

/* One line of the timeline. */
typedef struct row {
    int64_t at_ms;
    row_kind kind;
    uint32_t number; /* of the feed line, in left, or of the expectation */
} row;

static void add_time(tw_buf *out, int64_t ms, int width)
{
    char text[64];

    tw_duration_format(ms < 0 ? -ms : ms, text, sizeof text);
    tw_buf_printf(out, "%s%*s", ms < 0 ? "-" : "", width, text);
}

static void add_short(tw_buf *out, const char *text)
{
    size_t n = strlen(text);

    if (n <= WIDTH) {
        tw_buf_add(out, text, n);
        return;
    }
    for (n = WIDTH - 2; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
        n--;
    tw_buf_add(out, text, n);
    tw_buf_add_str(out, "..");
}

static void add_json(tw_buf *out, const json_t *v)
{
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) |
                                   JSON_SORT_KEYS);

    add_short(out, text ? text : "?");
    free(text);
}

static void add_object(tw_buf *out, const json_t *object);

/* Values as one writes them in a rule file. */
static void add_value(tw_buf *out, const json_t *v)
{
    const char *word =
        json_object_size(v) == 1
            ? json_object_iter_key(json_object_iter((json_t *)(uintptr_t)v))
            : NULL;

    if (!v) {
        tw_buf_add_str(out, "nothing");
    } else if (word && word[0] == '$') {
        const json_t *values = json_object_get(v, word);
        tw_buf_printf(out, "%s(", word + 1);
        for (size_t i = 0; i < json_array_size(values); i++) {
            tw_buf_add_str(out, i ? ", " : "");
            add_value(out, json_array_get(values, i));
        }
        tw_buf_add_char(out, ')');
    } else if (json_is_object(v)) {
        add_object(out, v);
    } else {
        add_json(out, v);
    }
}

static void add_object(tw_buf *out, const json_t *object)
{
    const char *name, *comma = " ";
    json_t *v;

    tw_buf_add_char(out, '{');
    json_object_foreach((json_t *)(uintptr_t)object, name, v)
    {
        tw_buf_printf(out, "%s%s = ", comma, name);
        add_value(out, v);
        comma = ", ";
    }
    tw_buf_add_str(out, " }");
}

static void add_fields(tw_buf *out, const json_t *fields)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)fields, name, v)
    {
        tw_buf_printf(out, "  %s=", name);
        add_value(out, v);
    }
}

static void add_expect(tw_buf *out, const tw_test_expect *e)
{
    bool has_fields = json_object_size(e->fields) > 0;

    tw_buf_printf(out, has_fields ? "%-7s" : "%s", tw_test_leaves_names[e->leaves]);
    add_fields(out, e->fields);
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static void add_left(tw_buf *out, const tw_left *left)
{
    const json_t *o = left->object;

    if (left->is_change) {
        tw_buf_printf(out, "%s", text_of(o, *text_of(o, "change") ? "change" : "type"));
        tw_buf_printf(out, "  %s %s", text_of(o, "incident"), text_of(o, "level"));
        if (*text_of(o, "reason"))
            tw_buf_printf(out, "  (%s)", text_of(o, "reason"));
        return;
    }
    tw_buf_printf(out, "%-7s", tw_test_leaves_names[left->leaves]);
    if (left->leaves == TW_LEAVES_EMIT) {
        tw_buf_printf(out, "  %s  ", text_of(o, "stream"));
        add_json(out, json_object_get(o, "event"));
    } else if (left->leaves == TW_LEAVES_LATE) {
        tw_buf_printf(out, "  %s  for %s", text_of(o, "stream"), text_of(o, "rule"));
    } else {
        bool ends_summary = left->leaves == TW_LEAVES_OK && json_object_get(o, "storm");
        tw_buf_printf(out, "  %s%s ", ends_summary ? "the summary " : "",
                      text_of(o, "incident"));
        add_fields(out, json_object_get(o, "labels"));
        if (*text_of(o, "title"))
            tw_buf_printf(out, "  \"%s\"", text_of(o, "title"));
    }
}

/* ---- what does not fit ------------------------------------------------------------- */

static bool is_missing(const tw_test_run *run, uint32_t i)
{
    return run->matched[i] < 0 &&
           (!run->vary || run->test->expect[i].leaves != TW_LEAVES_LATE);
}

static bool is_too_much(const tw_test_run *run, const tw_left *left)
{
    return tw_left_counts(run, left) && left->expect < 0 &&
           left->at_ms <= run->test->end_ms;
}

/* How far what left is from an expectation: fields that differ weigh more than time, the kind most. */
static int64_t distance(const tw_test_expect *e, const tw_left *left)
{
    int64_t apart = llabs(left->at_ms - e->at_ms);
    const char *name;
    json_t *wanted;

    apart = apart > 999999999 ? 999999999 : apart;
    json_object_foreach(e->fields, name, wanted)
    {
        if (!tw_left_field_matches(wanted, tw_left_field(left, name)))
            apart += INT64_C(1000000000);
    }
    return apart + (left->leaves == e->leaves ? 0 : INT64_C(2500000000));
}

static const tw_left *nearest_left(const tw_test_run *run, const tw_test_expect *e)
{
    const tw_left *best = NULL;

    for (uint32_t i = 0; i < run->left_count; i++) {
        const tw_left *left = &run->left[i];
        if (is_too_much(run, left) && (!best || distance(e, left) < distance(e, best)))
            best = left;
    }
    return best;
}

static void add_diff(tw_buf *out, const tw_test_expect *e, const tw_left *left)
{
    const char *name;
    json_t *wanted;

    tw_buf_add_str(out, "    the nearest that left:\n");
    if (left->at_ms != e->at_ms) {
        tw_buf_add_str(out, "      - time     ");
        add_time(out, e->at_ms, 0);
        tw_buf_add_str(out, "\n      + time     ");
        add_time(out, left->at_ms, 0);
        tw_buf_add_char(out, '\n');
    }
    if (left->leaves != e->leaves)
        tw_buf_printf(out, "      - %s\n      + %s\n", tw_test_leaves_names[e->leaves],
                      tw_test_leaves_names[left->leaves]);
    json_object_foreach(e->fields, name, wanted)
    {
        const json_t *is = tw_left_field(left, name);
        if (tw_left_field_matches(wanted, is))
            continue;
        tw_buf_printf(out, "      - %-8s ", name);
        add_value(out, wanted);
        tw_buf_printf(out, "\n      + %-8s ", name);
        add_value(out, is);
        tw_buf_add_char(out, '\n');
    }
}

static void add_differences(const tw_test_run *run, tw_buf *out)
{
    for (uint32_t i = 0; i < run->test->expect_count; i++) {
        const tw_test_expect *e = &run->test->expect[i];
        if (!is_missing(run, i))
            continue;
        tw_buf_printf(out, "  did not leave (line %d):  ", e->place.line);
        add_time(out, e->at_ms, 0);
        tw_buf_add_str(out, "  ");
        add_expect(out, e);
        tw_buf_add_char(out, '\n');
        const tw_left *near = nearest_left(run, e);
        if (near)
            add_diff(out, e, near);
    }
    for (uint32_t i = 0; i < run->left_count; i++) {
        if (!is_too_much(run, &run->left[i]))
            continue;
        tw_buf_add_str(out, "  left unexpectedly:  ");
        add_time(out, run->left[i].at_ms, 0);
        tw_buf_add_str(out, "  ");
        add_left(out, &run->left[i]);
        tw_buf_add_char(out, '\n');
    }
}

/* ---- the timeline ------------------------------------------------------------------ */

static int compare_rows(const void *pa, const void *pb)
{
    const row *a = pa, *b = pb;

    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static const tw_test_event *first_of_line(const tw_rule_test *t, uint32_t line)
{
    for (uint32_t i = 0; i < t->event_count; i++)
        if (t->events[i].line == line)
            return &t->events[i];
    return NULL;
}

/* A line of the feed stands once, where it begins. */
static row *plan_rows(const tw_test_run *run, uint32_t *out_count)
{
    const tw_rule_test *t = run->test;
    row *rows =
        tw_calloc(t->line_count + run->left_count + t->expect_count + 1, sizeof *rows);
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->line_count; i++) {
        const tw_test_event *first = first_of_line(t, i);
        if (first)
            rows[n++] = (row){first->at_ms, ROW_FEED, i};
    }
    for (uint32_t i = 0; i < run->left_count; i++)
        rows[n++] = (row){run->left[i].at_ms, ROW_LEFT, i};
    for (uint32_t i = 0; i < t->expect_count; i++)
        if (is_missing(run, i))
            rows[n++] = (row){t->expect[i].at_ms, ROW_MISSING, i};
    if (n > 1)
        qsort(rows, n, sizeof *rows, compare_rows);
    *out_count = n;
    return rows;
}

static void add_feed_row(tw_buf *out, const tw_rule_test *t, uint32_t line)
{
    const tw_test_line *l = &t->lines[line];
    const tw_test_event *first = first_of_line(t, line);

    tw_buf_printf(out, "    feed      %s  ", l->stream);
    if (l->count > 1)
        tw_buf_printf(out, "%s (%u)  ", l->when, l->count);
    add_short(out, first->json);
}

static void add_row(const tw_test_run *run, tw_buf *out, const row *r)
{
    const tw_left *left = r->kind == ROW_LEFT ? &run->left[r->number] : NULL;

    tw_buf_add_str(out, "  ");
    add_time(out, r->at_ms, 9);
    if (r->kind == ROW_FEED) {
        add_feed_row(out, run->test, r->number);
    } else if (r->kind == ROW_MISSING) {
        tw_buf_add_str(out, "  - expected  ");
        add_expect(out, &run->test->expect[r->number]);
    } else if (left->is_change) {
        tw_buf_add_str(out, "    incident  ");
        add_left(out, left);
    } else {
        tw_buf_printf(out, "  %s left      ", is_too_much(run, left) ? "+" : " ");
        add_left(out, left);
    }
    tw_buf_add_char(out, '\n');
}

static void add_timeline(const tw_test_run *run, tw_buf *out)
{
    uint32_t count;
    row *rows = plan_rows(run, &count);

    tw_buf_add_str(out, "  timeline:\n");
    for (uint32_t i = 0; i < count && i < MAX_ROWS; i++)
        add_row(run, out, &rows[i]);
    if (count > MAX_ROWS)
        tw_buf_printf(out, "  ... and %u more\n", count - MAX_ROWS);
    tw_free(rows);
}

/* ---- the whole --------------------------------------------------------------------- */

static void add_variation(const tw_test_run *run, tw_buf *out)
{
    bool shuffled = false;

    if (!run->vary)
        return;
    for (uint32_t i = 0; i < run->vary->count; i++)
        shuffled = shuffled || run->vary->items[i].kind == TW_DISTURB_SHUFFLE;
    tw_buf_printf(out, "under %s", run->vary->name);
    if (shuffled)
        tw_buf_printf(out, " (seed %u)", (unsigned)run->seed);
    if (run->lanes)
        tw_buf_printf(out, " (%u lanes)", run->lanes);
    tw_buf_add_str(out, ": ");
}

void tw_test_run_explain(const tw_test_run *run, tw_buf *out)
{
    uint32_t missing = 0, too_much = 0;
    char line[1400];

    add_variation(run, out);
    if (run->err.code) {
        tw_buf_printf(out, "it could not be run: %s\n",
                      tw_err_format(&run->err, line, sizeof line));
        return;
    }
    for (uint32_t i = 0; i < run->test->expect_count; i++)
        missing += is_missing(run, i);
    for (uint32_t i = 0; i < run->left_count; i++)
        too_much += is_too_much(run, &run->left[i]);
    tw_buf_printf(out, "%u of what was expected did not leave, %u left unexpectedly\n",
                  missing, too_much);
    add_differences(run, out);
    add_timeline(run, out);
}
