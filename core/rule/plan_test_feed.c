// SPDX-License-Identifier: Apache-2.0
/* The feed of a test: lines { "30s..3m/5s", "stream", { ... } } to single events as JSON text, in order of
 * time. Functions in a line are called here, once a repetition, in the sandbox of the file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/duration.h"
#include "rule/plan_test.h"

#define MAX_EVENTS 200000
#define MAX_EVENT_BYTES (256 * 1024)
#define MAX_DEPTH 20

typedef struct feed_time {
    int64_t from_ms, to_ms, step_ms;
} feed_time;

/* One event on its way to text. */
typedef struct event_writer {
    tw_test_compiler *t;
    tw_buf out;
    int64_t nth;
    double seconds;
    bool good;
} event_writer;

/* ---- times ------------------------------------------------------------------------- */

static bool parse_range(const char *text, feed_time *out)
{
    const char *dots = strstr(text, ".."), *slash = strchr(text, '/');

    if (!dots || !slash || slash < dots)
        return false;
    return tw_duration_parse(text, (size_t)(dots - text), &out->from_ms) == TW_OK &&
           tw_duration_parse(dots + 2, (size_t)(slash - dots - 2), &out->to_ms) ==
               TW_OK &&
           tw_duration_parse(slash + 1, strlen(slash + 1), &out->step_ms) == TW_OK;
}

static bool read_when(tw_test_compiler *t, const tw_tree *v, feed_time *out)
{
    *out = (feed_time){.step_ms = 1};
    if (v->type != TW_TREE_STRING || !strpbrk(v->text, "./")) {
        bool good = tw_compile_test_time(t, v, "the time of a feed line", &out->from_ms);
        out->to_ms = out->from_ms;
        return good;
    }
    if (!parse_range(v->text, out)) {
        tw_compile_say(t->c, v,
                       "\"%.40s\" is no range of times; write it like \"30s..3m/5s\": "
                       "from, to and how often",
                       v->text);
        return false;
    }
    if (out->step_ms <= 0 || out->to_ms < out->from_ms) {
        tw_compile_say(t->c, v, "\"%.40s\": %s", v->text,
                       out->step_ms <= 0 ? "the step must be longer than zero"
                                         : "the range ends before it begins");
        return false;
    }
    return true;
}

/* ---- events ------------------------------------------------------------------------ */

static void write_value(event_writer *w, const tw_tree *v, int depth);

static void refuse(event_writer *w, const tw_tree *v, const char *what)
{
    if (w->good)
        tw_compile_say(w->t->c, v, "%s", what);
    w->good = false;
}

static void write_call(event_writer *w, const tw_tree *fn, int depth)
{
    tw_tree *given;
    tw_err err;

    if (tw_words_test_call(w->t->words, fn->fn, w->nth, w->seconds, w->t->c->arena,
                           &given, &err) < 0) {
        if (w->good)
            tw_compile_say(w->t->c, fn, "the function fails: %s", err.text);
        w->good = false;
        return;
    }
    given->spot = fn->spot;
    if (given->type == TW_TREE_FUNCTION)
        refuse(w, fn, "the function gives a function; an event has values only");
    else
        write_value(w, given, depth);
}

static void write_table(event_writer *w, const tw_tree *v, int depth)
{
    bool is_list = v->item_count > 0;

    if (is_list && v->entry_count) {
        refuse(w, v, "a value of an event is an object or a list, not both in one");
        return;
    }
    tw_buf_add_char(&w->out, is_list ? '[' : '{');
    for (uint32_t i = 0; i < v->item_count; i++) {
        tw_buf_add_str(&w->out, i ? "," : "");
        write_value(w, v->items[i], depth + 1);
    }
    for (uint32_t i = 0; i < v->entry_count; i++) {
        tw_buf_add_str(&w->out, i ? "," : "");
        tw_buf_add_json_string(&w->out, v->entries[i].key, strlen(v->entries[i].key));
        tw_buf_add_char(&w->out, ':');
        v->entries[i].value->spot = v->entries[i].value->spot == TW_NO_TOKEN
                                        ? v->spot
                                        : v->entries[i].value->spot;
        write_value(w, v->entries[i].value, depth + 1);
    }
    tw_buf_add_char(&w->out, is_list ? ']' : '}');
}

static void write_value(event_writer *w, const tw_tree *v, int depth)
{
    if (depth > MAX_DEPTH) {
        refuse(w, v, "the event is nested too deep (20)");
        return;
    }
    switch (v->type) {
    case TW_TREE_NULL:
    case TW_TREE_NIL:
        tw_buf_add_str(&w->out, "null");
        break;
    case TW_TREE_BOOL:
        tw_buf_add_str(&w->out, v->b ? "true" : "false");
        break;
    case TW_TREE_INT:
        tw_buf_add_int(&w->out, v->i);
        break;
    case TW_TREE_NUMBER:
        if (!isfinite(v->d))
            refuse(w, v, "a number of an event is finite");
        tw_buf_add_double(&w->out, v->d);
        break;
    case TW_TREE_STRING:
        tw_buf_add_json_string(&w->out, v->text, v->size);
        break;
    case TW_TREE_TABLE:
        write_table(w, v, depth);
        break;
    case TW_TREE_FUNCTION:
        write_call(w, v, depth);
        break;
    case TW_TREE_WORD:
    case TW_TREE_OTHER:
        refuse(w, v, "an event has values, not matchers or other words of the language");
        break;
    }
}

static bool write_event(event_writer *w, const tw_tree *v)
{
    tw_buf_reset(&w->out);
    write_value(w, v, 0);
    if (w->good && w->out.data[0] != '{')
        refuse(w, v, "an event is a table of fields: { service = \"cart\" }");
    if (w->good && w->out.failed)
        refuse(w, v, "the event is larger than 256 KiB");
    return w->good;
}

static bool has_function(const tw_tree *v)
{
    bool has = v->type == TW_TREE_FUNCTION;

    for (uint32_t i = 0; i < v->item_count && !has; i++)
        has = has_function(v->items[i]);
    for (uint32_t i = 0; i < v->entry_count && !has; i++)
        has = has_function(v->entries[i].value);
    return has;
}

static void add_event(tw_test_compiler *t, int64_t at_ms, uint32_t line,
                      int32_t partition, const char *json, size_t size)
{
    tw_rule_test *test = t->test;
    uint32_t n = test->event_count;

    if ((n & (n - 1)) == 0)
        test->events =
            tw_realloc(test->events, (n ? 2 * (size_t)n : 1) * sizeof *test->events);
    test->events[test->event_count++] =
        (tw_test_event){at_ms, line, partition, json, (uint32_t)size};
}

static void add_events(tw_test_compiler *t, const tw_tree *event, const feed_time *when,
                       uint32_t line, int32_t partition)
{
    event_writer w = {.t = t, .good = true};
    bool each = has_function(event);
    const char *json = NULL;

    tw_buf_init(&w.out, MAX_EVENT_BYTES);
    for (int64_t at_ms = when->from_ms; at_ms <= when->to_ms && w.good;
         at_ms += when->step_ms) {
        w.nth++;
        w.seconds = (double)at_ms / 1000;
        if ((each || !json) && !write_event(&w, event))
            break;
        if (each || !json)
            json = tw_arena_strndup(&t->test->arena, w.out.data, w.out.len);
        if (t->test->event_count == MAX_EVENTS) {
            tw_compile_say(t->c, event, "a test feeds at most %d events", MAX_EVENTS);
            break;
        }
        add_event(t, at_ms, line, partition, json, w.out.len);
        t->test->lines[line].count++;
    }
    tw_buf_done(&w.out);
}

/* ---- lines ------------------------------------------------------------------------- */

typedef struct line_options {
    int64_t partition;
} line_options;

static const tw_option line_table[] = {
    {"partition", TW_OPTION_WHOLE, 0, 0, 1000, NULL},
    {NULL, TW_OPTION_ANY, 0, 0, 0, NULL},
};

static void compile_line(tw_test_compiler *t, const tw_tree *v)
{
    line_options o = {0};
    feed_time when;

    if (v->type != TW_TREE_TABLE || v->item_count != 3 ||
        v->items[1]->type != TW_TREE_STRING) {
        tw_compile_say(t->c, v,
                       "a feed line is a time, a stream and an event: { \"30s\", "
                       "\"requests\", { code = 503 } }");
        return;
    }
    tw_options_read(t->c, v, "a feed line", line_table, &o);
    tw_rule_test *test = t->test;
    tw_test_line *line = &test->lines[test->line_count++];
    *line = (tw_test_line){.place = tw_compile_test_place(t, v->items[1])};
    line->when =
        v->items[0]->type == TW_TREE_STRING
            ? tw_arena_strndup(&test->arena, v->items[0]->text, v->items[0]->size)
            : "?";
    line->stream = tw_arena_strndup(&test->arena, v->items[1]->text, v->items[1]->size);
    if (v->items[2]->type != TW_TREE_TABLE && v->items[2]->type != TW_TREE_FUNCTION)
        tw_compile_say(
            t->c, v->items[2],
            "an event is a table of fields or a function that gives one, not %s",
            tw_tree_name(v->items[2]));
    else if (read_when(t, v->items[0], &when))
        add_events(t, v->items[2], &when, test->line_count - 1, (int32_t)o.partition);
}

static int by_time(const void *pa, const void *pb)
{
    const tw_test_event *a = pa, *b = pb;

    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

void tw_compile_test_feed(tw_test_compiler *t, const tw_tree *feed)
{
    tw_rule_test *test = t->test;

    if (feed->entry_count)
        tw_compile_say(t->c, feed->entries[0].value,
                       "feed is a list of lines: { { \"0s\", \"stream\", { ... } } }");
    test->lines =
        tw_arena_alloc(&test->arena, (feed->item_count + 1) * sizeof *test->lines);
    for (uint32_t i = 0; i < feed->item_count; i++)
        compile_line(t, feed->items[i]);
    if (test->event_count > 1)
        qsort(test->events, test->event_count, sizeof *test->events, by_time);
}
