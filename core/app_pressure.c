// SPDX-License-Identifier: Apache-2.0
/* Backpressure of emitted events: while a sink has as many of them waiting as its queue takes, sources wait
 * too, so nothing is lost and memory stays bounded. But alerts of all rules come from the same sources, and one dead
 * archive must not silence them: after `pause` the sink gives way, which means that the oldest events beyond its queue
 * become dead letters, until it takes records again. Shore thread. */
#include "app_impl.h"
#include "base/log.h"

#define SAID_AFTER_MS 5000 /* a sink that is only slow is not worth a line */

void tw_app_pressure_init(tw_app *app, tw_sink_unit *unit)
{
    const char *labels[] = {"sink", unit->config->name, NULL};

    unit->app = app;
    unit->holds_gauge = tw_stats_gauge(
        app->stats, "sink_holds_sources",
        "Whether sources wait for this sink, as its queue is full of events.", labels);
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

static void give_way(tw_sink_unit *unit)
{
    tw_log_error("app",
                 "a sink takes no events for longer than its 'pause': sources go on, and "
                 "what its queue cannot hold is given up",
                 "sink", unit->config->name, NULL);
    unit->said = unit->gave_way = true;
    set_holds(unit, false);
    tw_outbox_give_way(unit->outbox, true);
}

void tw_app_on_pressure(void *self, bool is_full)
{
    tw_sink_unit *unit = self;

    unit->full_since_ms = tw_mono_ms();
    if (unit->gave_way && tw_outbox_is_failing(unit->outbox))
        return; /* it has had its time */
    if (unit->gave_way) {
        unit->gave_way = false;
        tw_outbox_give_way(unit->outbox, false);
    }
    if (unit->said && !is_full) {
        tw_log_info("app", "the queue of a sink has room for events again", "sink",
                    unit->config->name, NULL);
        unit->said = false;
    }
    if (is_full && unit->config->pause_ms == 0)
        give_way(unit);
    else
        set_holds(unit, is_full);
}

static void bound(tw_sink_unit *unit, int64_t now_ms)
{
    int64_t full_ms = now_ms - unit->full_since_ms;

    if (!unit->holds)
        return;
    if (full_ms >= unit->config->pause_ms) {
        give_way(unit);
    } else if (full_ms >= SAID_AFTER_MS && !unit->said) {
        unit->said = true;
        tw_log_warn("app", "the queue of a sink is full of events: sources wait for it",
                    "sink", unit->config->name, NULL);
    }
}

void tw_app_bound_pressure(tw_app *app)
{
    int64_t now_ms = tw_mono_ms();

    for (uint32_t i = 0; i < app->config->sink_count; i++)
        bound(&app->sinks[i], now_ms);
}
