// SPDX-License-Identifier: Apache-2.0
/* The replay; see replay.h. Owns the engine, the incidents, the virtual clock and the
 * output lines. */
#include "replay_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "replay_signal.h"
#include "replay_text.h"

#define LATEST_MS INT64_C(253402300799999) /* the last instant of the year 9999 */
#define MAX_LINE_BYTES (16u << 20)

/* ---- output ------------------------------------------------------------------------ */

/* Takes text. */
static void add_text(tw_replay *r, int64_t at_ms, char *text)
{
    if (r->line_count == r->line_cap) {
        r->line_cap = r->line_cap ? 2 * r->line_cap : 256;
        r->lines = tw_realloc(r->lines, r->line_cap * sizeof *r->lines);
    }
    r->lines[r->line_count] = (output_line){at_ms, r->line_count, text};
    r->line_count++;
}

static void add_line(tw_replay *r, int64_t at_ms, json_t *object)
{
    if (r->options.output) {
        r->options.output(r->options.output_self, at_ms, object);
        json_decref(object);
        return;
    }
    char *json = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));

    add_text(r, at_ms, r->options.text ? tw_replay_text(object) : tw_strdup(json));
    free(json);
    json_decref(object);
}

static void on_notification(void *self, tw_notification *n)
{
    add_line(self, n->at_ms, tw_notification_json(n));
}

static void on_change(void *self, const tw_change *c)
{
    add_line(self, c->at_ms,
             json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s?}", "at", (json_int_t)c->at_ms,
                       "type", "change", "rule", c->rule, "incident", c->incident,
                       "change", c->change, "level", tw_level_name(c->level), "reason",
                       c->reason));
}

static void on_signal(void *self, const tw_signal *s)
{
    tw_replay *r = self;

    if (r->options.signals && !s->unsure && s->kind != TW_SIGNAL_NEWS)
        add_line(r, s->at_ms, tw_replay_signal(s));
    tw_app_order_signal(r->order, s);
}

static void on_bad_frame(void *self, const tw_bad_frame *f)
{
    tw_replay *r = self;

    if (r->options.all)
        add_line(r, f->arrival_ms,
                 json_pack("{s:I, s:s, s:s, s:s}", "at", (json_int_t)f->arrival_ms,
                           "type", "dropped", "stream", f->stream->name, "reason",
                           f->reason));
}

static void on_late(void *self, const tw_late_event *l)
{
    add_line(self, l->arrival_ms,
             json_pack("{s:I, s:s, s:s, s:s, s:I, s:s}", "at", (json_int_t)l->arrival_ms,
                       "type", "late", "stream", l->stream->name, "rule", l->rule->name,
                       "time", (json_int_t)l->time_ms, "reason",
                       "too late to change what the rule judges"));
}

static void on_emitted(void *self, const tw_emitted *e)
{
    tw_replay *r = self;

    if (r->options.output)
        add_line(r, e->time_ms, tw_replay_emitted_json(e));
    else
        add_text(r, e->time_ms,
                 r->options.text ? tw_replay_emitted_text(e) : tw_replay_emitted(e));
}

static int compare_lines(const void *pa, const void *pb)
{
    const output_line *a = pa, *b = pb;

    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

void tw_replay_write(tw_replay *r, FILE *out)
{
    if (r->line_count)
        qsort(r->lines, r->line_count, sizeof *r->lines, compare_lines);
    for (size_t i = 0; i < r->line_count; i++) {
        fprintf(out, "%s\n", r->lines[i].text);
        tw_free(r->lines[i].text);
    }
    r->line_count = 0;
}

void tw_replay_explain(const tw_replay *r, FILE *out)
{
    if (r->notes)
        tw_replay_notes_write(r->notes, r->engine, r->options.streams, r->line_count,
                              out);
}

/* ---- rules ------------------------------------------------------------------------- */

static tw_rule_files *load_rules(tw_replay *r, const char *const *paths, size_t count,
                                 tw_findings *out_findings)
{
    tw_rule_options options = {.streams = r->options.streams,
                               .any_stream = r->options.any_stream,
                               .params = r->options.params,
                               .tables = r->options.tables,
                               .table_history = r->options.table_history,
                               .table_columns = r->options.table_columns,
                               .routes = r->options.routes,
                               .memory_bytes = r->options.memory_bytes,
                               .cpu_ms = r->options.cpu_ms,
                               .load_cpu_ms = r->options.load_cpu_ms};
    return tw_rules_load(paths, count, &options, out_findings);
}

static bool any_error(const tw_findings *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (!f->items[i].warning)
            return true;
    return false;
}

static void on_rule_gone(void *self, const tw_rule *rule, tw_rule *now,
                         const char *reason)
{
    tw_replay *r = self;
    int64_t now_ms = tw_clock_now_ms(&r->clock);

    tw_app_order_rule_gone(r->order, rule);
    if (now)
        tw_incidents_rule_moved(r->incidents, rule, now, reason, now_ms);
    else
        tw_incidents_rule_gone(r->incidents, rule, reason, now_ms);
}

int tw_replay_switch(tw_replay *r, tw_rule_files *files, tw_err *err)
{
    tw_switch to = {.files = files, .gone = on_rule_gone, .self = r};
    tw_switch_report report;
    int rc = tw_engine_switch(r->engine, &to, &report, err);
    if (rc < 0)
        return rc;
    const tw_ruleset *set = tw_engine_rules(r->engine);
    tw_app_order_rules(r->order, set);
    tw_incidents_rules_edited(r->incidents, set->rules, set->rule_count,
                              tw_clock_now_ms(&r->clock));
    return rc;
}

static int switch_rules(tw_replay *r, const char *const *paths, size_t count,
                        tw_findings *out_findings, tw_err *err)
{
    tw_rule_files *files = load_rules(r, paths, count, out_findings);
    int rc;

    tw_replay_add_streams_of_changes(r);
    if (any_error(out_findings))
        rc = tw_err_set(err, TW_EINVAL, "the rules are refused");
    else
        rc = tw_replay_switch(r, files, err);
    tw_rule_files_unref(files);
    return rc;
}

/* ---- life -------------------------------------------------------------------------- */

/* Not before the first line: whoever drives the replay by calls may have none. */
static void open_envelope(tw_replay *r)
{
    tw_decode_limits limits = {MAX_LINE_BYTES, 40, 100000, 1};
    tw_err err;

    r->envelope_streams = tw_streams_new();
    r->envelope = tw_streams_add(r->envelope_streams, "envelope");
    tw_fields *f = r->envelope->fields;
    r->slot_at = tw_fields_slot(f, "at", &err);
    r->slot_stream = tw_fields_slot(f, "stream", &err);
    r->slot_event = tw_fields_slot(f, "event", &err);
    r->slot_partition = tw_fields_slot(f, "partition", &err);
    r->slot_do = tw_fields_slot(f, "do", &err);
    r->slot_rules = tw_fields_slot(f, "rules", &err);
    uint32_t wanted[] = {(uint32_t)r->slot_at,    (uint32_t)r->slot_stream,
                         (uint32_t)r->slot_event, (uint32_t)r->slot_partition,
                         (uint32_t)r->slot_do,    (uint32_t)r->slot_rules};
    r->envelope_fields = tw_projection_new(f, wanted, sizeof wanted / sizeof *wanted);
    r->envelope_plan = tw_decode_plan_new(r->envelope, r->envelope_fields, TW_SLOT_TIME);
    r->envelope_decoder = tw_decoder_new(&limits);
}

static int64_t rule_clock(void *self, const char *rule)
{
    const tw_replay *r = self;
    return tw_app_order_clock(r->order, rule);
}

/* At the end nobody waits for another rule. */
static int64_t last_clock(void *self, const char *rule)
{
    tw_replay *r = self;
    int64_t number = tw_ruleset_find(tw_engine_rules(r->engine), rule);
    return number < 0 ? TW_TIME_NONE : tw_engine_rule_clock(r->engine, (uint32_t)number);
}

tw_replay *tw_replay_new(const tw_replay_options *options, tw_findings *out_findings,
                         tw_err *err)
{
    tw_replay *r = tw_alloc(sizeof *r);

    r->options = *options;
    r->stats = tw_stats_new();
    r->offsets = tw_map_new(tw_free);
    tw_clock_init_virtual(&r->clock, 0);
    r->incidents_options =
        (tw_incidents_options){.notify = {on_notification, r},
                               .change = {options->all ? on_change : NULL, r},
                               .lookup = options->lookup,
                               .context = tw_replay_context_port(r),
                               .streams = options->streams,
                               .clock = {rule_clock, tw_replay_rule_idle, r},
                               .now = &r->clock,
                               .stats = r->stats};
    r->incidents = tw_incidents_new(&r->incidents_options);
    r->order = tw_app_order_new(r->incidents);
    r->engine_options =
        (tw_engine_options){.lanes = options->lanes,
                            .clock = &r->clock,
                            .streams = options->streams,
                            .stats = r->stats,
                            .limits = options->limits,
                            .context = options->context,
                            .tells_all_emitted = true,
                            .ports = {.signal = on_signal,
                                      .bad_frame = on_bad_frame,
                                      .late = options->all ? on_late : NULL,
                                      .emitted = on_emitted,
                                      .self = r}};
    if (!options->limits.size_bytes)
        r->engine_options.limits = (tw_decode_limits)TW_DECODE_LIMITS_DEFAULT;
    if (!options->files)
        r->notes = tw_replay_notes_new(&r->engine_options.limits);
    if (tw_rule_watchdog_start(err) < 0)
        goto fail;
    if (tw_replay_open_engine(r, err) < 0)
        goto fail;
    if (options->files && tw_replay_switch(r, options->files, err) < 0)
        goto fail;
    if (!options->files && switch_rules(r, options->rule_paths, options->rule_path_count,
                                        out_findings, err) < 0)
        goto fail;
    return r;

fail:
    tw_replay_free(r);
    return NULL;
}

void tw_replay_free(tw_replay *r)
{
    if (!r)
        return;
    if (r->engine)
        tw_engine_stop(r->engine);
    tw_rule_watchdog_stop();
    tw_engine_free(r->engine);
    tw_app_order_free(r->order);
    tw_incidents_free(r->incidents);
    tw_decoder_free(r->envelope_decoder);
    tw_decode_plan_free(r->envelope_plan);
    tw_projection_free(r->envelope_fields);
    tw_streams_free(r->envelope_streams);
    tw_map_free(r->offsets);
    tw_stats_free(r->stats);
    for (size_t i = 0; i < r->line_count; i++)
        tw_free(r->lines[i].text);
    tw_free(r->lines);
    tw_replay_notes_free(r->notes);
    tw_free(r);
}

tw_engine *tw_replay_engine(tw_replay *r)
{
    return r->engine;
}

/* ---- lines ------------------------------------------------------------------------- */

/* What one line said; text borrowed from the line. */
typedef struct envelope {
    tw_value at, stream, event, partition, what, rules;
} envelope;

typedef struct envelope_reader {
    tw_replay *r;
    envelope *out;
} envelope_reader;

static void on_envelope(void *self, const tw_event *ev)
{
    envelope_reader *reader = self;
    tw_replay *r = reader->r;

    *reader->out = (envelope){.at = tw_event_slot(ev, (uint32_t)r->slot_at),
                              .stream = tw_event_slot(ev, (uint32_t)r->slot_stream),
                              .event = tw_event_slot(ev, (uint32_t)r->slot_event),
                              .partition = tw_event_slot(ev, (uint32_t)r->slot_partition),
                              .what = tw_event_slot(ev, (uint32_t)r->slot_do),
                              .rules = tw_event_slot(ev, (uint32_t)r->slot_rules)};
}

static int read_time(tw_replay *r, tw_value at, tw_err *err)
{
    int64_t at_ms;

    if (at.type == TW_ABSENT)
        return tw_err_set(err, TW_EPARSE,
                          "'at' is missing (epoch milliseconds or RFC 3339)");
    if (at.type == TW_INT)
        at_ms = at.i;
    else if (at.type != TW_STRING || tw_time_parse_rfc3339(at.s, at.len, &at_ms) < 0)
        return tw_err_set(err, TW_EPARSE,
                          "'at' is neither epoch milliseconds nor RFC 3339");
    if (at_ms < 0 || at_ms > LATEST_MS)
        return tw_err_set(err, TW_EINVAL, "'at' lies outside the years 1970 to 9999");
    if (r->started && at_ms < tw_clock_now_ms(&r->clock))
        return tw_err_set(err, TW_EINVAL, "'at' goes back by %lld ms",
                          (long long)(tw_clock_now_ms(&r->clock) - at_ms));
    if (!r->started || at_ms > tw_clock_now_ms(&r->clock)) {
        r->started = true; /* also the first: who waits by the wall begins now */
        tw_clock_set(&r->clock, at_ms);
        tw_engine_step(r->engine, NULL, 0, 0, NULL);
        tw_replay_settle(r);
    }
    return TW_OK;
}

static int find_stream(tw_replay *r, tw_value name, tw_stream **out, tw_err *err)
{
    char text[256];

    if (name.type != TW_STRING || name.len == 0 || name.len >= sizeof text)
        return tw_err_set(err, TW_EPARSE, "'stream' must be the name of a stream");
    memcpy(text, name.s, name.len);
    text[name.len] = '\0';
    *out = tw_streams_find(r->options.streams, text);
    if (!*out && r->options.any_stream)
        *out = tw_streams_add(r->options.streams, text);
    if (!*out)
        return tw_err_set(err, TW_ENOTFOUND, "stream '%s' is not in the configuration",
                          text);
    return TW_OK;
}

int64_t tw_replay_next_offset(tw_replay *r, const tw_stream *stream, int32_t partition)
{
    char *key = tw_asprintf("%u %d", stream->id, partition);
    int64_t *next = tw_map_get(r->offsets, key);

    if (!next) {
        next = tw_alloc(sizeof *next);
        tw_map_put(r->offsets, key, next);
    }
    tw_free(key);
    return (*next)++;
}

static int take_event(tw_replay *r, const envelope *e, tw_err *err)
{
    tw_stream *stream;
    int32_t partition = 0;
    int rc = find_stream(r, e->stream, &stream, err);

    if (rc < 0)
        return rc;
    if (tw_ruleset_emits(tw_engine_rules(r->engine), stream))
        return tw_err_set(err, TW_EINVAL,
                          "stream '%s' is what a rule emits; feed what that rule reads",
                          stream->name);
    if (e->event.type != TW_JSON && e->event.type != TW_STRING)
        return tw_err_set(err, TW_EPARSE, "'event' must be an object");
    if (e->partition.type == TW_INT && e->partition.i >= 0 && e->partition.i <= INT32_MAX)
        partition = (int32_t)e->partition.i;
    else if (e->partition.type != TW_ABSENT)
        return tw_err_set(err, TW_EPARSE, "'partition' must be a number from 0");
    tw_frame frame = {.data = e->event.s,
                      .size = e->event.len,
                      .time_ms = TW_TIME_NONE,
                      .offset = tw_replay_next_offset(r, stream, partition)};
    if (r->notes)
        tw_replay_notes_take(r->notes, tw_engine_rules(r->engine), stream, &frame);
    tw_engine_step(r->engine, stream, 0, partition, &frame);
    tw_replay_settle(r);
    return TW_OK;
}

static int take_reload(tw_replay *r, const envelope *e, tw_err *err)
{
    tw_findings findings = {0};
    int rc;

    if (e->rules.type != TW_STRING)
        return tw_err_set(err, TW_EPARSE, "'reload' needs 'rules': a path");
    char *path = tw_strndup(e->rules.s, e->rules.len);
    const char *paths[] = {path};
    rc = switch_rules(r, paths, 1, &findings, err);
    for (size_t i = 0; i < findings.count && rc < 0; i++) {
        if (!findings.items[i].warning) {
            char text[1200];
            tw_err_format(&findings.items[i].err, text, sizeof text);
            rc = tw_err_set(err, TW_EINVAL, "reload of %s is refused: %s", path, text);
            break;
        }
    }
    tw_findings_done(&findings);
    tw_free(path);
    tw_replay_settle(r);
    return rc;
}

static int take_deed(tw_replay *r, const envelope *e, const char *line, size_t n,
                     tw_err *err)
{
    char *what = tw_strndup(e->what.type == TW_STRING ? e->what.s : "", e->what.len);
    int rc;

    if (strcmp(what, "reload") == 0)
        rc = take_reload(r, e, err);
    else if (strcmp(what, "restart") == 0)
        rc = tw_replay_restart(r, err);
    else if (tw_replay_is_deed(what))
        rc = tw_replay_deed(r, what, line, n, err);
    else
        rc = tw_err_set(err, TW_EPARSE, "'do': '%s' is not known", what);
    tw_free(what);
    return rc;
}

int tw_replay_line(tw_replay *r, const char *line, size_t n, tw_err *err)
{
    envelope e = {0};
    envelope_reader reader = {r, &e};
    tw_decode_origin origin = {.time_ms = TW_TIME_NONE};
    tw_event_port port = {on_envelope, &reader};

    if (!r->envelope)
        open_envelope(r);
    int rc = tw_decode(r->envelope_decoder, r->envelope_plan, r->envelope, line, n,
                       &origin, &port, err);
    if (rc < 0)
        return rc;
    rc = read_time(r, e.at, err);
    if (rc < 0)
        return rc;
    if (e.what.type != TW_ABSENT)
        return take_deed(r, &e, line, n, err);
    if (e.event.type != TW_ABSENT || e.stream.type != TW_ABSENT)
        return take_event(r, &e, err);
    return TW_OK;
}

void tw_replay_end(tw_replay *r)
{
    if (r->options.until_ms != TW_TIME_NONE &&
        r->options.until_ms > tw_clock_now_ms(&r->clock)) {
        tw_clock_set(&r->clock, r->options.until_ms);
        tw_engine_step(r->engine, NULL, 0, 0, NULL);
        tw_replay_settle(r);
    }
    tw_engine_end(r->engine);
    tw_replay_settle(r);
    tw_app_order_advance(r->order, NULL);
    tw_incidents_advance(r->incidents, last_clock, r, true);
}
