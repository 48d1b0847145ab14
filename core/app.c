// SPDX-License-Identifier: Apache-2.0
/* The running engine from start to stop: the order in which its parts are made, joined, drained and
 * freed. Shore thread; everything else it does is in app_*.c.
 *
 * The stop goes step by step, each waiting for the one before:
 * sources give their feeds back (every record they gave has been handled, positions are stored) ->
 * outboxes empty, or the drain time is over -> sinks stop; what they have not delivered becomes
 * dead letters -> those are delivered -> their sink stops -> lanes end. Each step has its time, so
 * that nobody holds the engine for ever. */
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app_impl.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"

#define ADVANCE_EVERY_MS 250
#define BEAT_EVERY_MS 250
#define STOP_WITHIN_MS 10000        /* connectors */
#define LAST_LETTERS_WITHIN_MS 2000 /* dead letters of the stop itself */

/* ---- lanes to shore ---------------------------------------------------------------- */

static void on_signal(void *self, const tw_signal *s)
{
    tw_app *app = self;
    tw_app_order_signal(app->order, s);
}

static void collect(void *arg)
{
    tw_app *app = arg;
    if (app->engine)
        tw_engine_collect(app->engine);
}

/* Any lane. The collection runs on the shore; once the engine has stopped there is nothing to collect. */
static void wake_shore(void *self)
{
    tw_app *app = self;
    tw_loop_post(app->loop, collect, app);
}

/* ---- what guests ask for ----------------------------------------------------------- */

static void on_answer(void *self, tw_guest *g, tw_delivery *d, const tw_answer *a)
{
    (void)self;
    tw_outbox_answer(g->owner, d, a);
}

static void on_stopped(void *self, tw_guest *g)
{
    (void)g;
    tw_app_step_down(self);
}

static void on_failed(void *self, tw_guest *g, const char *why, int exit_code)
{
    tw_app *app = self;

    (void)why;
    if (!exit_code)
        return;
    app->exit_code = exit_code;
    tw_log_error("app", "stops because a connector cannot go on", "name", g->name,
                 "exit_code", TW_LOG_INT(exit_code), NULL);
    tw_app_stop(app);
}

/* ---- the stop ---------------------------------------------------------------------- */

static void enter(tw_app *app, tw_app_phase phase, int64_t within_ms)
{
    app->phase = phase;
    app->phase_until_ms = tw_mono_ms() + within_ms;
}

/* Nothing of a connector that does not stop may be closed, as it may be at work still. */
static void leave_behind(tw_app *app, const char *what)
{
    tw_log_error("app", "a connector does not stop and is left behind", "what", what,
                 NULL);
    app->is_stuck = true;
}

/* Whoever pressed Ctrl-C would otherwise wait without a word. */
static void say_what_is_left(const tw_app *app)
{
    size_t left = 0;
    char within[32];

    for (uint32_t i = 0; i < app->config->sink_count; i++)
        left += tw_outbox_count(app->sinks[i].outbox);
    if (!left)
        return;
    tw_duration_format(app->config->drain_ms, within, sizeof within);
    tw_log_info("app", "delivering what is left; a second signal gives it up", "records",
                TW_LOG_INT(left), "at_most", within, NULL);
}

static void drain(tw_app *app)
{
    tw_engine_pause(app->engine);
    tw_engine_collect(app->engine);
    tw_app_order_advance(app->order, NULL);
    tw_incidents_release(app->incidents, tw_clock_now_ms(&app->clock));
    tw_engine_resume(app->engine);
    say_what_is_left(app);
    enter(app, TW_APP_DRAINING, app->config->drain_ms);
}

static void stop_sinks(tw_app *app, tw_app_phase phase, tw_app_sinks which)
{
    enter(app, phase, STOP_WITHIN_MS);
    tw_app_stop_sinks(app, which);
}

/* Whether what the phase waits for has happened. */
static bool is_through(const tw_app *app)
{
    switch (app->phase) {
    case TW_APP_OPEN:
    case TW_APP_RUNNING:
    case TW_APP_DONE:
        return false;
    case TW_APP_STOPPING_SOURCES:
        return tw_app_sources_are_stopped(app) && tw_app_topics_are_stopped(app);
    case TW_APP_DRAINING:
        return tw_app_sinks_are_empty(app, TW_APP_ORDINARY_SINKS);
    case TW_APP_STOPPING_SINKS:
        return tw_app_sinks_are_stopped(app, TW_APP_ORDINARY_SINKS);
    case TW_APP_DRAINING_DEAD_LETTERS:
        return tw_app_sinks_are_empty(app, TW_APP_DEAD_LETTER_SINK);
    case TW_APP_STOPPING_DEAD_LETTERS:
        return tw_app_sinks_are_stopped(app, TW_APP_DEAD_LETTER_SINK);
    }
    return false;
}

static void go_on(tw_app *app, bool through)
{
    switch (app->phase) {
    case TW_APP_OPEN:
    case TW_APP_RUNNING:
    case TW_APP_DONE:
        break;
    case TW_APP_STOPPING_SOURCES:
        if (!through)
            leave_behind(app, "a source");
        drain(app);
        break;
    case TW_APP_DRAINING:
        stop_sinks(app, TW_APP_STOPPING_SINKS, TW_APP_ORDINARY_SINKS);
        break;
    case TW_APP_STOPPING_SINKS:
        if (!through)
            leave_behind(app, "a sink");
        enter(app, TW_APP_DRAINING_DEAD_LETTERS, LAST_LETTERS_WITHIN_MS);
        break;
    case TW_APP_DRAINING_DEAD_LETTERS:
        stop_sinks(app, TW_APP_STOPPING_DEAD_LETTERS, TW_APP_DEAD_LETTER_SINK);
        break;
    case TW_APP_STOPPING_DEAD_LETTERS:
        if (!through)
            leave_behind(app, "the sink of dead letters");
        app->phase = TW_APP_DONE;
        tw_loop_stop(app->loop);
        break;
    }
}

/* Stopping a connector may call back into here before it returns, hence the loop and not a chain. */
void tw_app_step_down(tw_app *app)
{
    while (app->phase > TW_APP_RUNNING && app->phase < TW_APP_DONE) {
        bool through = is_through(app);
        if (!through && tw_mono_ms() < app->phase_until_ms)
            return;
        go_on(app, through);
    }
}

void tw_app_stop(tw_app *app)
{
    if (app->phase > TW_APP_RUNNING)
        return;
    tw_log_info("app", "stopping", NULL);
    enter(app, TW_APP_STOPPING_SOURCES, STOP_WITHIN_MS);
    tw_app_report_positions(app);
    tw_app_stop_sources(app);
    tw_app_stop_topics(app);
    tw_app_step_down(app);
}

/* A second request while stopping means now: what is undelivered is given up. */
static void on_stop_signal(void *arg, int signum)
{
    tw_app *app = arg;

    tw_log_info("app", "told to stop", "signal", signum == SIGTERM ? "TERM" : "INT",
                NULL);
    if (app->phase == TW_APP_DRAINING || app->phase == TW_APP_DRAINING_DEAD_LETTERS)
        app->phase_until_ms = 0;
    tw_app_stop(app);
}

static void on_hangup(void *arg, int signum)
{
    (void)signum;
    tw_app_reload(arg, NULL);
}

/* ---- the start --------------------------------------------------------------------- */

static void give_up(tw_app *app, const tw_err *err)
{
    tw_log_error("app", err->text, NULL);
    app->exit_code = 1;
    tw_app_stop(app);
}

/* Sources are started when the tables that rules look things up in are there. */
static void begin_judging(tw_app *app)
{
    tw_err err = {0};

    if (app->is_judging || app->phase != TW_APP_RUNNING || !tw_app_topics_are_there(app))
        return;
    app->is_judging = true;
    tw_app_expect_topics(app);
    if (tw_app_start_sources(app, &err) < 0)
        give_up(app, &err);
}

/* ---- timers ------------------------------------------------------------------------ */

static void on_advance(void *arg)
{
    tw_app *app = arg;

    begin_judging(app);
    tw_app_expect_topics(app);
    if (app->phase == TW_APP_RUNNING)
        tw_app_advance(app);
    else
        tw_engine_collect(app->engine);
    tw_app_bound_pressure(app);
    tw_app_step_down(app);
}

static void on_positions(void *arg)
{
    tw_app *app = arg;

    if (app->phase == TW_APP_RUNNING)
        tw_app_report_positions(app);
}

static void on_second(void *arg)
{
    tw_app *app = arg;

    if (app->phase == TW_APP_RUNNING)
        tw_app_look_for_full(app);
}

static void on_time_is_up(void *arg)
{
    tw_app_stop(arg);
}

static void on_beat(void *arg)
{
    const tw_app *app = arg;

    app->options.beat(app->options.beat_self);
}

static void add_timer(tw_app *app, int64_t after_ms, int64_t repeat_ms,
                      void (*due)(void *arg))
{
    app->timers[app->timer_count++] =
        tw_loop_timer(app->loop, after_ms, repeat_ms, due, app);
}

static void start_timers(tw_app *app)
{
    add_timer(app, ADVANCE_EVERY_MS, ADVANCE_EVERY_MS, on_advance);
    add_timer(app, app->config->commit_ms, app->config->commit_ms, on_positions);
    add_timer(app, 1000, 1000, on_second);
    if (app->options.beat)
        add_timer(app, BEAT_EVERY_MS, BEAT_EVERY_MS, on_beat);
    if (app->options.stop_after_ms > 0)
        add_timer(app, app->options.stop_after_ms, 0, on_time_is_up);
    app->timers[app->timer_count++] =
        tw_loop_signal(app->loop, SIGTERM, on_stop_signal, app);
    app->timers[app->timer_count++] =
        tw_loop_signal(app->loop, SIGINT, on_stop_signal, app);
    app->timers[app->timer_count++] = tw_loop_signal(app->loop, SIGHUP, on_hangup, app);
}

/* ---- life -------------------------------------------------------------------------- */

/* Only the last part of the path is made; a folder that cannot be is told by the plugin that needs it. */
static void make_state_dir(const tw_app *app)
{
    if (app->config->state_dir)
        (void)mkdir(app->config->state_dir, 0700);
}

static int load_plugins(tw_app *app, tw_err *err)
{
    app->plugins = tw_plugins_new();
    for (uint32_t i = 0; i < app->config->plugin_dir_count; i++) {
        int rc = tw_plugins_load_dir(app->plugins, app->config->plugin_dirs[i], err);
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

static void register_stats(tw_app *app)
{
    tw_stats *s = app->stats;

    app->reload_ok_gauge = tw_stats_gauge(
        s, "config_last_reload_successful",
        "Whether the rules that were read last are the ones that run.", NULL);
    app->reload_time_gauge =
        tw_stats_gauge(s, "config_last_reload_success_timestamp_seconds",
                       "When rules were last taken over.", NULL);
    app->generation_gauge =
        tw_stats_gauge(s, "rules_generation", "Number of the rule set that runs.", NULL);
    app->unrouted = tw_stats_counter(s, "alerts_unrouted_total",
                                     "Notifications whose route names no sink.", NULL);
    app->dead_letters = tw_stats_counter(s, "dead_letters_total",
                                         "Records that could not be handled.", NULL);
    app->dead_letters_lost = tw_stats_counter(s, "dead_letters_lost_total",
                                              "Dead letters that no sink keeps.", NULL);
}

static void make_house(tw_app *app)
{
    app->house = (tw_house){.loop = app->loop,
                            .clock = &app->clock,
                            .stats = app->stats,
                            .feed_add = tw_app_feed_add,
                            .feed_remove = tw_app_feed_remove,
                            .feed_wake_fd = tw_app_feed_wake_fd,
                            .feed_end = tw_app_feed_end,
                            .answer = on_answer,
                            .stopped = on_stopped,
                            .failed = on_failed,
                            .self = app};
}

static int start_engine(tw_app *app, tw_err *err)
{
    tw_incidents_options incidents = {.notify = {tw_app_on_notification, app},
                                      .change = app->options.changed,
                                      .lookup = {tw_app_lookup, app},
                                      .context = tw_app_context_port(app),
                                      .streams = app->streams,
                                      .clock = {tw_app_rule_clock, tw_app_rule_idle, app},
                                      .now = &app->clock,
                                      .stats = app->stats};
    tw_engine_options engine = {
        .lanes = app->config->lanes ? app->config->lanes : 1,
        .clock = &app->clock,
        .streams = app->streams,
        .stats = app->stats,
        .limits = app->config->limits,
        .context = app->config->context,
        .tables = tw_app_table_view(app, &app->tables),
        .ports = {.signal = on_signal,
                  .bad_frame = tw_app_on_bad_frame,
                  .emitted = tw_app_on_emitted,
                  .late = tw_app_keeps_late(app) ? tw_app_on_late : NULL,
                  .self = app},
        .wake_shore = wake_shore,
        .wake_self = app};
    app->incidents = tw_incidents_new(&incidents);
    app->order = tw_app_order_new(app->incidents);
    int rc = tw_rule_watchdog_start(err);
    if (rc < 0)
        return rc;
    app->engine = tw_engine_new(&engine);
    rc = tw_engine_start(app->engine, err);
    app->engine_running = true;
    return rc;
}

tw_app *tw_app_new(const tw_app_options *options, tw_findings *out_findings, tw_err *err)
{
    tw_app *app = tw_alloc(sizeof *app);

    app->options = *options;
    app->config = options->config;
    tw_clock_init_real(&app->clock);
    app->started_ms = tw_clock_now_ms(&app->clock);
    app->stats = tw_stats_new();
    register_stats(app);
    app->streams = tw_config_streams(app->config);
    app->loop = tw_loop_new(err);
    if (!app->loop)
        goto fail;
    make_house(app);
    make_state_dir(app);
    if (load_plugins(app, err) < 0 ||
        tw_app_open_tables(app->config, &app->tables, err) < 0 ||
        tw_app_open_topics(app, err) < 0 || tw_app_open_sinks(app, err) < 0 ||
        start_engine(app, err) < 0 || tw_app_load_rules(app, out_findings, err) < 0 ||
        tw_app_open_sources(app, err) < 0 || tw_app_start_control(app, err) < 0)
        goto fail;
    return app;

fail:
    tw_app_free(app);
    return NULL;
}

int tw_app_run(tw_app *app)
{
    tw_err err = {0};

    start_timers(app);
    app->phase = TW_APP_RUNNING;
    if (tw_app_start_sinks(app, &err) < 0 || tw_app_start_topics(app, &err) < 0)
        give_up(app, &err);
    begin_judging(app);
    if (app->phase == TW_APP_RUNNING)
        tw_app_say_running(app);
    if (app->phase != TW_APP_DONE)
        tw_loop_run(app->loop);
    tw_log_info("app", "stopped", "events",
                TW_LOG_INT(tw_stats_sum(app->stats, "events_total")), "dead_letters",
                TW_LOG_INT(tw_stats_sum(app->stats, "dead_letters_total")),
                "dead_letters_lost",
                TW_LOG_INT(tw_stats_sum(app->stats, "dead_letters_lost_total")), NULL);
    if (app->is_stuck)
        _exit(app->exit_code ? app->exit_code : 1);
    return app->exit_code;
}

void tw_app_free(tw_app *app)
{
    if (!app)
        return;
    for (uint32_t i = 0; i < app->timer_count; i++)
        tw_watch_end(app->timers[i]);
    tw_file_watch_free(app->rule_watch);
    tw_file_watch_free(app->table_watch);
    tw_free(app->watched);
    if (app->control)
        tw_control_stop(app->control);
    tw_app_free_sources(app);
    if (app->engine_running) {
        tw_engine_stop(app->engine);
        tw_rule_watchdog_stop();
    }
    tw_engine_free(app->engine);
    app->engine = NULL; /* what lanes posted last finds nobody */
    tw_app_free_sinks(app);
    tw_incidents_free(app->incidents);
    tw_app_free_tables(&app->tables);
    tw_map_free(app->full);
    tw_app_free_topics(app);
    tw_loop_free(app->loop);
    tw_plugins_free(app->plugins);
    tw_streams_free(app->streams);
    json_decref(app->reload_report);
    tw_app_order_free(app->order);
    json_decref(app->last_bad);
    tw_app_once_done(&app->bad_said);
    tw_app_once_done(&app->given_up_said);
    tw_config_free(app->reread);
    tw_stats_free(app->stats);
    tw_free(app);
}

uint64_t tw_app_events(const tw_app *app)
{
    return tw_stats_sum(app->stats, "events_total");
}

uint32_t tw_app_rule_count(const tw_app *app)
{
    return tw_engine_rules(app->engine)->rule_count;
}

uint16_t tw_app_control_port(const tw_app *app)
{
    return tw_control_port(app->control);
}
