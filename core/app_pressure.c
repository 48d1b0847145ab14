// SPDX-License-Identifier: Apache-2.0
/* Backpressure: while a sink has as many records waiting as its queue takes, sources wait too, so nothing is lost
 * and memory stays bounded. But alerts of all sinks come from the same sources, so one sink must not silence the
 * others: after `pause` it gives way, which means that sources go on and the outbox gives up what is too many
 * (sink/outbox.h). A sink that is full of alerts and takes none at all gives way sooner, when it is stuck. It has no
 * second pause until it takes records again. While the engine stops nobody gives anything up before its time.
 * Shore thread. */
#include "app_impl.h"
#include "base/log.h"

#define SAID_AFTER_MS 5000 /* a sink that is only slow is not worth a line */
#define PATIENCE_MS 30000  /* a receiver is started anew within that time */

int64_t tw_app_sink_patience(const tw_config_sink *c)
{
    return c->pause_ms < PATIENCE_MS ? c->pause_ms : PATIENCE_MS;
}

void tw_app_pressure_init(tw_app *app, tw_sink_unit *unit)
{
    const char *labels[] = {"sink", unit->config->name, NULL};

    unit->app = app;
    unit->holds_gauge = tw_stats_gauge(
        app->stats, "sink_holds_sources",
        "Whether sources wait for this sink, as its queue is full.", labels);
}

static void hold_or_not(tw_app *app)
{
    bool any = false;

    for (uint32_t i = 0; i < app->config->sink_count; i++)
        any = any || app->sinks[i].holds;
    if (app->engine)
        tw_engine_hold_sources(app->engine, any);
}

static void set_holds(tw_sink_unit *unit, bool holds)
{
    if (unit->holds == holds)
        return;
    unit->holds = holds;
    tw_gauge_set(unit->holds_gauge, holds);
    hold_or_not(unit->app);
}

static bool has_had_its_pause(const tw_sink_unit *unit)
{
    return tw_mono_ms() - unit->full_since_ms >= unit->config->pause_ms;
}

/* A queue of events waits its pause out, since whoever wants them wants all. */
static bool has_had_its_time(const tw_sink_unit *unit)
{
    return has_had_its_pause(unit) || (!tw_outbox_is_full_of_events(unit->outbox) &&
                                       tw_outbox_is_stuck(unit->outbox));
}

static void give_way(tw_sink_unit *unit)
{
    const char *what = has_had_its_pause(unit) ? "the queue of a sink is full for longer "
                                                 "than its 'pause': sources go on, and "
                                                 "what is too many is given up"
                                               : "a sink takes nothing and its queue is "
                                                 "full: sources go on, and what is too "
                                                 "many is given up";

    tw_log_error("app", what, "sink", unit->config->name, "waiting",
                 TW_LOG_INT(tw_outbox_count(unit->outbox)), NULL);
    unit->said = unit->gave_way = true;
    set_holds(unit, false);
    tw_outbox_give_way(unit->outbox, true);
}

static void begin_anew(tw_sink_unit *unit)
{
    unit->gave_way = false;
    tw_outbox_give_way(unit->outbox, false);
}

static void say_it_has_room(tw_sink_unit *unit)
{
    if (unit->said)
        tw_log_info("app", "the queue of a sink has room again", "sink",
                    unit->config->name, NULL);
    unit->said = false;
}

/* It may have got room while nothing got through yet: newer states stood for most of what waited, or it was too old. */
static bool is_well_again(const tw_sink_unit *unit)
{
    return unit->gave_way && !tw_outbox_is_full(unit->outbox) &&
           !tw_outbox_is_failing(unit->outbox);
}

void tw_app_on_pressure(void *self, bool is_full)
{
    tw_sink_unit *unit = self;

    if (unit->app->phase > TW_APP_RUNNING)
        return;
    unit->full_since_ms = tw_mono_ms();
    if (unit->gave_way && tw_outbox_is_failing(unit->outbox))
        return; /* it has had its time */
    if (unit->gave_way)
        begin_anew(unit);
    if (!is_full)
        say_it_has_room(unit);
    if (is_full && has_had_its_time(unit))
        give_way(unit);
    else
        set_holds(unit, is_full);
}

static void bound(tw_sink_unit *unit)
{
    if (is_well_again(unit)) {
        begin_anew(unit);
        say_it_has_room(unit);
    }
    if (!unit->holds)
        return;
    if (has_had_its_time(unit)) {
        give_way(unit);
    } else if (tw_mono_ms() - unit->full_since_ms >= SAID_AFTER_MS && !unit->said) {
        unit->said = true;
        tw_log_warn("app", "the queue of a sink is full: sources wait for it", "sink",
                    unit->config->name, NULL);
    }
}

void tw_app_bound_pressure(tw_app *app)
{
    for (uint32_t i = 0; app->phase <= TW_APP_RUNNING && i < app->config->sink_count; i++)
        bound(&app->sinks[i]);
}

const char *tw_app_pressure_trouble(const tw_sink_unit *unit)
{
    if (unit->holds)
        return "its queue is full: sources wait for it";
    return unit->gave_way
               ? "its queue was full for too long: what is too many is given up"
               : NULL;
}
