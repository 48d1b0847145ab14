// SPDX-License-Identifier: Apache-2.0
/* What the app shows and does over HTTP: its views and verbs. Shore thread. */
#include <string.h>
#include <unistd.h>

#include "app_impl.h"
#include "base/log.h"
#include "base/mem.h"
#include "park.h"
#include "rule/findings.h"

/* A source is not ready until it has something to read. What troubles it later stands in the
 * status and the metrics: that a target is down or one topic of several is missing must not
 * take the engine that says so out of service. */
static json_t *not_ready(void *self)
{
    tw_app *app = self;
    json_t *reasons = json_array();

    if (app->phase != TW_APP_RUNNING)
        json_array_append_new(reasons, json_string(app->phase == TW_APP_OPEN
                                                       ? "the engine is starting"
                                                       : "the engine is stopping"));
    for (uint32_t i = 0; i < app->config->source_count; i++) {
        const tw_guest *g = app->sources[i].guest;
        if (g && g->trouble && app->sources[i].feeds == 0)
            json_array_append_new(reasons, json_pack("s++", g->name, ": ", g->trouble));
    }
    for (uint32_t i = 0; i < app->topic_count && !app->is_judging; i++) {
        char *trouble = tw_app_topic_trouble(&app->topics[i]);
        if (!app->topics[i].is_read)
            json_array_append_new(
                reasons, json_pack("s++", app->topics[i].guest->name, ": ", trouble));
        tw_free(trouble);
    }
    if (json_array_size(reasons))
        return reasons;
    json_decref(reasons);
    return NULL;
}

static json_t *time_json(int64_t ms)
{
    return ms == TW_TIME_NONE ? json_null() : json_integer((json_int_t)ms);
}

static json_t *show_rule(const tw_app *app, uint32_t number)
{
    const tw_rule *r = tw_engine_rules(app->engine)->rules[number];
    tw_rule_counts counts;

    tw_engine_rule_counts(app->engine, number, &counts);
    return json_pack("{s:s, s:s, s:s?, s:s, s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:s}",
                     "rule", r->name, "version", r->version ? r->version : "", "owner",
                     r->owner, "file", r->file, "line", r->line, "clock",
                     time_json(tw_engine_rule_clock(app->engine, number)), "events",
                     (json_int_t)counts.events, "late", (json_int_t)counts.late,
                     "keyless", (json_int_t)counts.keyless, "keys",
                     (json_int_t)counts.keys, "keys_evicted", (json_int_t)counts.evicted,
                     "failures", (json_int_t)counts.failures, "last_failure",
                     counts.last_failure);
}

static json_t *show_rules(const tw_app *app)
{
    const tw_ruleset *set = tw_engine_rules(app->engine);
    json_t *list = json_array();

    for (uint32_t i = 0; i < set->rule_count; i++)
        json_array_append_new(list, show_rule(app, i));
    return list;
}

static bool reads_source(const tw_app *app, const tw_rule *rule, uint32_t source)
{
    for (uint32_t i = 0; i < rule->input_count; i++) {
        for (uint32_t k = 0; k < app->config->stream_count; k++) {
            const tw_config_stream *s = &app->config->streams[k];
            if (s->source == source &&
                __builtin_strcmp(s->name, rule->inputs[i].stream->name) == 0)
                return true;
        }
    }
    return false;
}

/* How far time has come for everybody who reads this source: the slowest clock of its rules. */
static int64_t source_clock(const tw_app *app, uint32_t source)
{
    const tw_ruleset *set = tw_engine_rules(app->engine);
    int64_t slowest_ms = TW_TIME_NONE;
    bool any = false;

    for (uint32_t i = 0; i < set->rule_count; i++) {
        if (!reads_source(app, set->rules[i], source))
            continue;
        int64_t clock_ms = tw_engine_rule_clock(app->engine, i);
        if (!any || clock_ms < slowest_ms)
            slowest_ms = clock_ms;
        any = true;
    }
    return slowest_ms;
}

static json_t *show_sources(const tw_app *app)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < app->config->source_count; i++) {
        const tw_source_unit *u = &app->sources[i];
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:i, s:i, s:s?, s:o, s:o}", "name", u->config->name,
                      "kind", u->config->kind, "feeds", (int)u->feeds, "ended",
                      (int)u->ended, "trouble", u->guest ? u->guest->trouble : NULL,
                      "clock", time_json(source_clock(app, i)), "metrics",
                      u->guest ? tw_guest_metrics(u->guest) : json_object()));
    }
    return list;
}

static json_t *show_sinks(const tw_app *app)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < app->config->sink_count; i++) {
        json_t *status = tw_outbox_status(app->sinks[i].outbox);
        const char *trouble = app->sinks[i].guest->trouble;
        if (!trouble)
            trouble = tw_app_pressure_trouble(&app->sinks[i]);
        if (trouble)
            json_object_set_new(status, "trouble", json_string(trouble));
        json_object_set_new(status, "holds_sources", json_boolean(app->sinks[i].holds));
        json_object_set_new(status, "gives_way", json_boolean(app->sinks[i].gave_way));
        json_array_append_new(list, status);
    }
    return list;
}

static json_t *show_parked(const tw_app *app)
{
    return tw_park_json(tw_engine_park(app->engine));
}

static json_t *show_tables(const tw_app *app)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < app->tables.count; i++) {
        const tw_table *t = app->tables.items[i];
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:s?}", "name", tw_table_name(t), "rows",
                            (json_int_t)tw_table_count(t), "error", tw_table_error(t)));
    }
    for (uint32_t i = 0; i < app->topic_count; i++)
        json_array_append_new(list, tw_app_show_topic(&app->topics[i]));
    return list;
}

static json_t *show_context(const tw_app *app)
{
    tw_context_counts n;

    tw_context_count(tw_engine_context(app->engine), &n);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "changes", (json_int_t)n.changes,
                     "changed", (json_int_t)n.entities, "alerts", (json_int_t)n.alerts,
                     "alerted", (json_int_t)n.alerted, "bytes", (json_int_t)n.bytes,
                     "forgotten", (json_int_t)n.let_go);
}

static json_t *show_status(void *self)
{
    static const char *const phases[] = {
        [TW_APP_OPEN] = "starting",
        [TW_APP_RUNNING] = "running",
        [TW_APP_STOPPING_SOURCES] = "stopping sources",
        [TW_APP_DRAINING] = "draining sinks",
        [TW_APP_STOPPING_SINKS] = "stopping sinks",
        [TW_APP_DRAINING_DEAD_LETTERS] = "delivering dead letters",
        [TW_APP_STOPPING_DEAD_LETTERS] = "stopping the sink of dead letters",
        [TW_APP_DONE] = "stopped"};
    tw_app *app = self;
    uint64_t events = tw_stats_sum(app->stats, "events_total");
    int64_t now_ms = tw_clock_now_ms(&app->clock);

    return json_pack(
        "{s:s, s:s, s:s, s:i, s:I, s:I, s:i, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o, s:o,"
        " s:o, s:o, s:o, s:o?, s:o}",
        "version", TW_VERSION, "state", phases[app->phase], "config", app->config->path,
        "pid", (int)getpid(), "now", (json_int_t)now_ms, "uptime_ms",
        (json_int_t)(now_ms - app->started_ms), "lanes", (int)app->config->lanes,
        "generation", (json_int_t)tw_engine_rules(app->engine)->generation, "events",
        (json_int_t)events, "bad_records",
        (json_int_t)tw_stats_sum(app->stats, "bad_records_total"), "incidents_open",
        (json_int_t)tw_incidents_count(app->incidents), "reload_ok", (int)app->reload_ok,
        "rules_since", time_json(app->reload_ms), "last_reload",
        app->reload_report ? json_incref(app->reload_report) : json_null(), "rules",
        show_rules(app), "parked", show_parked(app), "sources", show_sources(app),
        "sinks", show_sinks(app), "tables", show_tables(app), "last_bad_record",
        json_incref(app->last_bad), "context", show_context(app));
}

static json_t *show_alerts(void *self)
{
    tw_app *app = self;
    return tw_incidents_json(app->incidents);
}

static tw_control_reply act_reload(void *self, json_t *body)
{
    tw_control_reply reply = {0};

    (void)body; /* a reload takes no options */
    reply.status = tw_app_reload(self, &reply.body) == TW_OK ? 200 : 422;
    return reply;
}

/* { "paths": [...] }, absolute; without them the rules of the configuration. */
static tw_control_reply act_plan(void *self, json_t *body)
{
    json_t *paths = json_object_get(body, "paths"), *path;
    size_t count = json_array_size(paths), n;
    const char **list = tw_calloc(count + 1, sizeof *list);
    tw_findings findings = {0};
    bool good = !body || (json_is_object(body) && (!paths || json_is_array(paths)));

    json_array_foreach(paths, n, path)
    {
        list[n] = json_string_value(path);
        good = good && list[n] && list[n][0] == '/';
    }
    tw_control_reply reply = {.status = 400};
    if (!good) {
        reply.body = json_pack("{s:s}", "error",
                               "a plan takes {\"paths\": [\"/absolute/path\", ...]}");
    } else {
        json_t *changes = tw_app_plan(self, list, count, &findings);
        reply.status = changes ? 200 : 422;
        reply.body = json_pack("{s:b, s:o, s:o}", "ok", changes != NULL, "findings",
                               tw_findings_json(&findings), "rules",
                               changes ? changes : json_array());
    }
    tw_findings_done(&findings);
    tw_free(list);
    return reply;
}

int tw_app_start_control(tw_app *app, tw_err *err)
{
    static const tw_view views[] = {{"status", show_status},
                                    {"alerts", show_alerts},
                                    {"silences", tw_app_show_silences},
                                    {0}};
    static const tw_verb verbs[] = {{"/-/reload", act_reload},
                                    {"/-/plan", act_plan},
                                    {"/api/v1/silence", tw_app_act_silence},
                                    {"/api/v1/silence/expire", tw_app_act_unsilence},
                                    {"/api/v1/ack", tw_app_act_ack},
                                    {0}};
    tw_control_options options = {.loop = app->loop,
                                  .host = app->config->control_host,
                                  .port = app->config->control_port,
                                  .token = app->config->control_token,
                                  .stats = app->stats,
                                  .not_ready = not_ready,
                                  .views = views,
                                  .verbs = verbs,
                                  .self = app};
    app->control = tw_control_start(&options, err);
    return app->control ? TW_OK : TW_EIO;
}

void tw_app_say_running(const tw_app *app)
{
    bool is_v6 = strchr(app->config->control_host, ':') != NULL;
    char *control = tw_asprintf(is_v6 ? "[%s]:%u" : "%s:%u", app->config->control_host,
                                (unsigned)tw_control_port(app->control));

    tw_log_info("app", "running", "control", control, "rules",
                TW_LOG_INT(tw_engine_rules(app->engine)->rule_count), "sources",
                TW_LOG_INT(app->config->source_count), "sinks",
                TW_LOG_INT(app->config->sink_count), "lanes",
                TW_LOG_INT(app->config->lanes), NULL);
    tw_log_info("app",
                "windows, incidents, silences and acknowledgements begin empty: they are "
                "kept in memory only, and what was told before may be told again",
                NULL);
    tw_free(control);
}
