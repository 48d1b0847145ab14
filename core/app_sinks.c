// SPDX-License-Identifier: Apache-2.0
/* The app's lower end: routes, outboxes and sink instances, dead letters. Shore thread. */

#include <stdlib.h>

#include "app_impl.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/hash.h"
#include "base/mem.h"
#include "flow/plan_emit.h"

#define LATE_STREAM "@late"

/* ---- dead letters ------------------------------------------------------------------ */

static void put_dead_letter(tw_app *app, const tw_dead_letter *d)
{
    tw_count(app->dead_letters, 1);
    if (app->config->dead_letter_sink < 0) {
        tw_count(app->dead_letters_lost, 1);
        return;
    }
    tw_parcel *p = tw_parcel_from_dead_letter(d);
    tw_outbox_put(app->sinks[app->config->dead_letter_sink].outbox, p);
    tw_parcel_unref(p);
}

static void log_given_up(tw_app *app, const tw_parcel *p, const char *reason)
{
    uint64_t left_out;

    if (tw_app_say_once(&app->given_up_said, "", reason, tw_clock_now_ms(&app->clock),
                        &left_out))
        tw_log_error("outbox", "a record is given up", "id", p->record.id, "reason",
                     reason, "not_logged_since", TW_LOG_INT(left_out), NULL);
}

/* A record a sink will never take. One that the dead-letter sink itself refuses is lost, and said so. */
static void on_dead_record(void *self, const tw_parcel *p, const char *reason)
{
    tw_app *app = self;

    log_given_up(app, p, reason);
    if (p->record.kind == TW_RECORD_DEAD_LETTER) {
        tw_count(app->dead_letters_lost, 1);
        return;
    }
    tw_dead_letter d = {.stream = p->record.stream ? p->record.stream : "",
                        .topic = p->record.incident ? p->record.incident : "",
                        .stage = "sink",
                        .reason = reason,
                        .partition = -1,
                        .offset = -1,
                        .first_seen_ms = p->record.time_ms,
                        .key = p->record.key,
                        .key_size = p->record.key ? __builtin_strlen(p->record.key) : 0,
                        .data = p->record.json,
                        .data_size = p->record.json_size};
    put_dead_letter(app, &d);
}

static void log_bad_frame(tw_app *app, const tw_bad_frame *f)
{
    int64_t now_ms = tw_clock_now_ms(&app->clock);
    uint64_t left_out;

    if (tw_app_say_once(&app->bad_said, f->stream->name, f->reason, now_ms, &left_out))
        tw_log_warn("decode", "a record cannot be decoded", "stream", f->stream->name,
                    "partition", TW_LOG_INT(f->partition), "offset",
                    TW_LOG_INT(f->offset), "reason", f->reason, "not_logged_since",
                    TW_LOG_INT(left_out), NULL);
    json_decref(app->last_bad);
    app->last_bad =
        json_pack("{s:s, s:i, s:I, s:s, s:I}", "stream", f->stream->name, "partition",
                  (int)f->partition, "offset", (json_int_t)f->offset, "reason", f->reason,
                  "at", (json_int_t)now_ms);
}

void tw_app_on_bad_frame(void *self, const tw_bad_frame *f)
{
    tw_app *app = self;
    tw_dead_letter d = {.stream = f->stream->name,
                        .topic = f->topic ? f->topic : f->stream->name,
                        .stage = "decode",
                        .reason = f->reason,
                        .partition = f->partition,
                        .offset = f->offset,
                        .first_seen_ms = f->arrival_ms,
                        .key = f->key,
                        .data = f->data,
                        .key_size = f->key_size,
                        .data_size = f->data_size};
    log_bad_frame(app, f);
    put_dead_letter(app, &d);
}

/* ---- notifications ----------------------------------------------------------------- */

static void tell_listener(tw_app *app, const tw_notification *n)
{
    if (!app->options.told)
        return;
    tw_buf text;
    tw_buf_init(&text, SIZE_MAX / 2);
    tw_notification_write(n, &text);
    app->options.told(app->options.told_self, text.data);
    tw_buf_done(&text);
}

void tw_app_on_notification(void *self, tw_notification *n)
{
    tw_app *app = self;
    const tw_config_route *route = tw_config_route_of(app->config, n->route);

    tw_log_info("alert", n->title, "status", n->resolved ? "resolved" : "firing", "level",
                tw_level_name(n->level), "rule", n->rule, "incident", n->incident,
                "route", n->route, n->reason && *n->reason ? "reason" : NULL, n->reason,
                NULL);
    tell_listener(app, n);
    if (!route) {
        tw_count(app->unrouted, 1);
        tw_log_warn("alert", "no route takes this alert", "route", n->route, "incident",
                    n->incident, NULL);
        return;
    }
    tw_parcel *p = tw_parcel_from_notification(n);
    for (uint32_t i = 0; i < route->sink_count; i++)
        tw_outbox_put(app->sinks[route->sinks[i]].outbox, p);
    tw_parcel_unref(p);
}

/* ---- events ------------------------------------------------------------------------ */

static void put_record(tw_app *app, const tw_config_route *route,
                       const tw_emitted_record *record)
{
    tw_parcel *p = tw_parcel_from_emitted(record);

    for (uint32_t i = 0; i < route->sink_count; i++)
        tw_outbox_put(app->sinks[route->sinks[i]].outbox, p);
    tw_parcel_unref(p);
}

void tw_app_on_emitted(void *self, const tw_emitted *e)
{
    tw_app *app = self;
    const char *stream = e->rule->emit->stream->name;
    const tw_config_route *route = tw_config_stream_route(app->config, stream);
    tw_emitted_record record = {.id = e->id,
                                .key = e->key,
                                .stream = stream,
                                .rule = e->rule->name,
                                .json = e->json,
                                .json_size = e->json_size,
                                .time_ms = e->time_ms};

    if (route)
        put_record(app, route, &record);
}

/* ---- late events ------------------------------------------------------------------- */

bool tw_app_keeps_late(const tw_app *app)
{
    return tw_config_stream_route(app->config, LATE_STREAM) != NULL;
}

static void write_late(const tw_late_event *l, tw_buf *out)
{
    tw_buf_printf(out, "{\"time\":%lld,\"arrival\":%lld,\"rule\":\"%s\",\"stream\":",
                  (long long)l->time_ms, (long long)l->arrival_ms, l->rule->name);
    tw_buf_add_json_string(out, l->stream->name, __builtin_strlen(l->stream->name));
    if (l->partition >= 0)
        tw_buf_printf(out, ",\"partition\":%d,\"offset\":%lld", (int)l->partition,
                      (long long)l->offset);
    tw_buf_add_str(out, ",\"event\":");
    tw_value_write_json(
        (tw_value){.s = l->raw, .len = (uint32_t)l->raw_size, .type = TW_JSON}, out);
    tw_buf_add_char(out, '}');
}

/* Without the arrival: the same for the same event when it is read again. */
static void late_id(const tw_late_event *l, char out[33])
{
    tw_buf text;

    tw_buf_init(&text, SIZE_MAX / 2);
    tw_buf_printf(&text, "%s\n%s\n%d %lld\n", l->rule->name, l->stream->name,
                  (int)l->partition, (long long)l->offset);
    tw_buf_add(&text, l->raw, l->raw_size);
    tw_hash_hex128(text.data, text.len, out);
    tw_buf_done(&text);
}

void tw_app_on_late(void *self, const tw_late_event *l)
{
    tw_app *app = self;
    char id[33];
    tw_buf json;

    tw_buf_init(&json, SIZE_MAX / 2);
    write_late(l, &json);
    late_id(l, id);
    tw_emitted_record record = {.id = id,
                                .key = "",
                                .stream = LATE_STREAM,
                                .rule = l->rule->name,
                                .json = json.data,
                                .json_size = json.len,
                                .time_ms = l->time_ms};
    put_record(app, tw_config_stream_route(app->config, LATE_STREAM), &record);
    tw_buf_done(&json);
}

/* ---- life -------------------------------------------------------------------------- */

static int open_sink(tw_app *app, tw_sink_unit *unit, tw_err *err)
{
    const tw_config_sink *c = unit->config;
    const tw_sink_type *type = tw_plugins_sink(app->plugins, c->kind, err);

    if (!type)
        return TW_ENOTFOUND;
    tw_outbox_options options = {.name = c->name,
                                 .type = type,
                                 .loop = app->loop,
                                 .clock = &app->clock,
                                 .stats = app->stats,
                                 .max_records = c->queue,
                                 .patience_ms = tw_app_sink_patience(c),
                                 .max_age_ms = c->max_age_ms,
                                 .backoff_ms = c->backoff_ms,
                                 .backoff_max_ms = c->backoff_max_ms,
                                 .timeout_ms = c->timeout_ms,
                                 .seed = tw_hash(c->name, __builtin_strlen(c->name)),
                                 .dead = on_dead_record,
                                 .dead_self = app,
                                 .pressure = tw_app_on_pressure,
                                 .pressure_self = unit};
    tw_app_pressure_init(app, unit);
    unit->outbox = tw_outbox_new(&options);
    char *settings = json_dumps(c->settings, JSON_COMPACT);
    unit->guest =
        tw_guest_new(&app->house, c->name, NULL, type, settings, app->config->state_dir);
    free(settings);
    unit->guest->owner = unit->outbox;
    return tw_guest_open(unit->guest, NULL, 0, err);
}

int tw_app_open_sinks(tw_app *app, tw_err *err)
{
    app->sinks = tw_calloc(app->config->sink_count + 1, sizeof *app->sinks);
    for (uint32_t i = 0; i < app->config->sink_count; i++) {
        app->sinks[i].config = &app->config->sinks[i];
        if (open_sink(app, &app->sinks[i], err) < 0)
            return TW_EINVAL;
    }
    return TW_OK;
}

int tw_app_start_sinks(tw_app *app, tw_err *err)
{
    for (uint32_t i = 0; i < app->config->sink_count; i++) {
        tw_sink_unit *unit = &app->sinks[i];
        if (tw_guest_start(unit->guest, err) < 0)
            return TW_EINVAL;
        tw_outbox_connect(unit->outbox, unit->guest->instance);
    }
    return TW_OK;
}

static bool is_among(const tw_app *app, uint32_t i, tw_app_sinks which)
{
    bool keeps_dead_letters = (int32_t)i == app->config->dead_letter_sink;
    return keeps_dead_letters == (which == TW_APP_DEAD_LETTER_SINK);
}

bool tw_app_sinks_are_empty(const tw_app *app, tw_app_sinks which)
{
    for (uint32_t i = 0; i < app->config->sink_count; i++) {
        if (is_among(app, i, which) && !tw_outbox_is_empty(app->sinks[i].outbox))
            return false;
    }
    return true;
}

static void stop_sink(tw_sink_unit *unit)
{
    size_t left = tw_outbox_count(unit->outbox);

    if (left)
        tw_log_warn("app", "records are undelivered when their time is over", "sink",
                    unit->config->name, "records", TW_LOG_INT(left), NULL);
    tw_outbox_give_up(unit->outbox, "the engine stops");
    tw_guest_stop(unit->guest);
}

void tw_app_stop_sinks(tw_app *app, tw_app_sinks which)
{
    for (uint32_t i = 0; i < app->config->sink_count; i++) {
        if (is_among(app, i, which))
            stop_sink(&app->sinks[i]);
    }
}

bool tw_app_sinks_are_stopped(const tw_app *app, tw_app_sinks which)
{
    for (uint32_t i = 0; i < app->config->sink_count; i++) {
        if (is_among(app, i, which) && !app->sinks[i].guest->stopped)
            return false;
    }
    return true;
}

void tw_app_free_sinks(tw_app *app)
{
    for (uint32_t i = 0; app->sinks && i < app->config->sink_count; i++) {
        tw_guest_free(app->sinks[i].guest);
        tw_outbox_free(app->sinks[i].outbox);
    }
    tw_free(app->sinks);
}
