// SPDX-License-Identifier: Apache-2.0
/* The inside of the app, for app*.c only. */
#ifndef TW_APP_IMPL_H
#define TW_APP_IMPL_H

#include "alert/incident.h"
#include "app.h"
#include "app_order.h"
#include "base/map.h"
#include "control/control.h"
#include "engine.h"
#include "flow/table.h"
#include "flow/table_topic.h"
#include "flow/table_view.h"
#include "guest.h"
#include "host/plugin.h"
#include "host/watch.h"
#include "sink/outbox.h"

/* A configured sink: its instance and what waits for it. */
typedef struct tw_sink_unit {
    const tw_config_sink *config;
    tw_guest *guest;
    tw_outbox *outbox;
    /* its queue is full; see app_pressure.c */
    struct tw_app *app;
    int64_t full_since_ms; /* monotonic */
    bool holds, gave_way, said;
    tw_gauge *holds_gauge;
} tw_sink_unit;

typedef struct tw_source_unit {
    const tw_config_source *config;
    tw_guest *guest;
    uint32_t number;
    uint32_t feeds, ended; /* feeds it has, and how many are at their end */
} tw_source_unit;

typedef enum tw_app_phase {
    TW_APP_OPEN,
    TW_APP_RUNNING,
    TW_APP_STOPPING_SOURCES,
    TW_APP_DRAINING,
    TW_APP_STOPPING_SINKS,
    TW_APP_DRAINING_DEAD_LETTERS,
    TW_APP_STOPPING_DEAD_LETTERS,
    TW_APP_DONE
} tw_app_phase;

typedef struct tw_app_tables {
    tw_table **items;
    uint32_t count;
} tw_app_tables;

/* A look-up table that is a topic: read whole from its beginning, beside everything else. */
typedef struct tw_topic_unit {
    tw_app *app;
    const tw_config_table *config;
    tw_guest *guest;
    tw_topic_table *table;
    tw_live_rows *live;
    tw_feed *feed; /* NULL: none now */
    int wake_fd;
    tw_watch *wake_watch;
    bool is_read;       /* to the end it had at the start */
    bool is_overdue;    /* judging has not waited any longer */
    bool has_changed;   /* since the keys that rules expect were listed */
    int64_t started_ms; /* monotonic */
    char *last_odd;     /* why a record was not taken, or NULL */
    tw_counter *records, *odd, *refused, *forgotten;
    tw_gauge *rows, *bytes, *ready;
} tw_topic_unit;

/* What was said of late, by where it happened and why; see app_once.c. */
enum { TW_APP_KINDS = 16 };
typedef struct tw_app_kind {
    char *where, *reason; /* NULL: free */
    int64_t logged_ms;
    uint64_t left_out; /* of this kind since then */
} tw_app_kind;
typedef struct tw_app_once {
    tw_app_kind kinds[TW_APP_KINDS];
    uint64_t left_out; /* of kinds that had no place */
} tw_app_once;

struct tw_app {
    tw_app_options options;
    const tw_config *config;
    tw_config
        *reread; /* the same file, later: rules and tables are of it; NULL: not yet */
    tw_app_phase phase;
    int exit_code;
    tw_loop *loop;
    tw_clock clock;
    tw_stats *stats;
    tw_streams *streams;
    tw_plugins *plugins;
    tw_house house, topic_house;
    tw_engine *engine;
    bool engine_running;
    bool feeds_rest; /* some are to begin at the next turn of the loop */
    bool is_stuck;   /* a connector did not stop: nothing may be freed under it */
    tw_incidents *incidents;
    tw_app_order *order;
    tw_sink_unit *sinks;
    tw_source_unit *sources;
    tw_map *full;         /* app_full.c: by rule; NULL: not looked yet */
    tw_app_tables tables; /* files */
    const tw_app_tables
        *coming; /* in a reload: those that take their place; NULL: none */
    tw_topic_unit *topics;
    uint32_t topic_count;
    bool
        is_judging; /* sources have been started: tables did not have to be waited for any more */
    int64_t expect_again_ms; /* monotonic: keys that rules expect are listed anew then */
    tw_control *control;
    tw_file_watch *rule_watch, *table_watch;
    char *watched; /* what rule_watch watches, a path a line; NULL: nothing */
    tw_watch *timers[8];
    uint32_t timer_count;
    int64_t started_ms;
    int64_t
        phase_until_ms; /* monotonic; while stopping: goes on without whoever is late */
    /* the last reload */
    bool reload_ok;
    int64_t reload_ms;
    json_t *reload_report;
    tw_gauge *reload_ok_gauge, *reload_time_gauge, *generation_gauge;
    tw_counter *unrouted, *dead_letters, *dead_letters_lost;
    tw_app_once bad_said, given_up_said;
    json_t *last_bad; /* the last record that could not be decoded, or NULL */
};

/* app_sinks.c */
int tw_app_open_sinks(tw_app *app, tw_err *err);
int tw_app_start_sinks(tw_app *app, tw_err *err);
void tw_app_free_sinks(tw_app *app);
void tw_app_on_notification(void *self, tw_notification *n);
void tw_app_on_bad_frame(void *self, const tw_bad_frame *f);
void tw_app_on_emitted(void *self, const tw_emitted *e);
/* Of the route "stream:@late"; without it late events are only counted. */
void tw_app_on_late(void *self, const tw_late_event *l);
bool tw_app_keeps_late(const tw_app *app);
/* Of all sinks but the one that keeps dead letters, or of that one alone. It stops last,
 * since the others give up into it. */
typedef enum tw_app_sinks { TW_APP_ORDINARY_SINKS, TW_APP_DEAD_LETTER_SINK } tw_app_sinks;
bool tw_app_sinks_are_empty(const tw_app *app, tw_app_sinks which);
void tw_app_stop_sinks(tw_app *app, tw_app_sinks which);
bool tw_app_sinks_are_stopped(const tw_app *app, tw_app_sinks which);

/* app_pressure.c: sources wait for a sink that has too much to deliver, and for how long. */
int64_t tw_app_sink_patience(const tw_config_sink *c);
void tw_app_pressure_init(tw_app *app, tw_sink_unit *unit);
void tw_app_on_pressure(void *sink_unit, bool is_full);
void tw_app_bound_pressure(tw_app *app);
const char *tw_app_pressure_trouble(const tw_sink_unit *unit); /* or NULL */

/* app_once.c: whether to say it; then out_left_out gets how many were not said before. */
bool tw_app_say_once(tw_app_once *o, const char *where, const char *reason,
                     int64_t now_ms, uint64_t *out_left_out);
void tw_app_once_done(tw_app_once *o);

/* app_sources.c */
int tw_app_open_sources(tw_app *app, tw_err *err);
int tw_app_start_sources(tw_app *app, tw_err *err);
void tw_app_free_sources(tw_app *app);
void tw_app_report_positions(tw_app *app);
void tw_app_stop_sources(tw_app *app);
bool tw_app_sources_are_stopped(const tw_app *app);
int tw_app_feed_add(void *self, tw_guest *g, tw_feed *feed, const char *topic,
                    int32_t partition);
int tw_app_feed_remove(void *self, tw_guest *g, tw_feed *feed, bool lost,
                       int64_t *out_next);
int tw_app_feed_wake_fd(void *self, const tw_feed *feed);
void tw_app_feed_end(void *self, tw_guest *g, tw_feed *feed);

/* app_full.c: now and then */
void tw_app_look_for_full(tw_app *app);

/* app_tables.c */
int tw_app_open_tables(const tw_config *config, tw_app_tables *out, tw_err *err);
void tw_app_free_tables(tw_app_tables *tables);
json_t *tw_app_lookup(void *self, const char *table, const char *key, int64_t at_ms);
/* What lanes read: those files as they are now, and topics as they come to be. */
tw_table_view *tw_app_table_view(const tw_app *app, const tw_app_tables *files);
void tw_app_count_rows(const tw_app *app); /* in the gauges */
/* Rules of this configuration may name its files, and the topics that are read. */
void tw_app_name_tables(const tw_app *app, const tw_config *from,
                        tw_rule_options *options);
/* Behind a switch of rules or tables: files without a column that rules read are refused from now on. */
void tw_app_need_columns(tw_app *app);
/* Logs of rules that expect none of their table's rows. */
void tw_app_warn_of_nobody(const tw_app *app);
void tw_app_watch_tables(tw_app *app, const tw_config *config);

/* app_topics.c */
int tw_app_open_topics(tw_app *app, tw_err *err);
int tw_app_start_topics(tw_app *app, tw_err *err);
void tw_app_stop_topics(tw_app *app);
bool tw_app_topics_are_stopped(const tw_app *app);
void tw_app_free_topics(tw_app *app);
/* Judging may begin: all have been read, or have taken too long. */
bool tw_app_topics_are_there(tw_app *app);
/* Now and then: rules that expect the keys of a topic get those of now. */
void tw_app_expect_topics(tw_app *app);
bool tw_app_is_topic(const tw_config *config, uint32_t source); /* a table reads it */
json_t *tw_app_show_topic(const tw_topic_unit *unit);
/* What is the matter with it, or NULL. tw_free. */
char *tw_app_topic_trouble(const tw_topic_unit *unit);

/* app_rules.c */
int tw_app_load_rules(tw_app *app, tw_findings *out_findings, tw_err *err);
/* Reads the rules that `from` names and switches to them, or leaves everything as it was. */
int tw_app_switch_rules(tw_app *app, const tw_config *from, tw_findings *out_findings,
                        tw_switch_report *out, json_t **out_changes, tw_err *err);
/* What a switch to the rules of these paths (none: those of the configuration) would change, and nothing
 * else happens. New reference; NULL when there are errors among the findings. */
json_t *tw_app_plan(tw_app *app, const char *const *paths, size_t path_count,
                    tw_findings *out_findings);
/* From now on the files that `config` names are watched, if it wants that. */
void tw_app_watch_rules(tw_app *app, const tw_config *config);

/* app_context.c */
tw_context_port tw_app_context_port(tw_app *app);

/* app_clocks.c */
int64_t tw_app_rule_clock(void *self, const char *rule);
bool tw_app_rule_idle(void *self, const char *rule);
/* Collects what lanes told, then moves the incidents' time. */
void tw_app_advance(tw_app *app);

/* app_reload.c */
void tw_app_note_reload(tw_app *app, int rc, const tw_switch_report *report);

/* app_people.c: silences and acknowledgements. self: the app */
json_t *tw_app_show_silences(void *self);
tw_control_reply tw_app_act_silence(void *self, json_t *body);
tw_control_reply tw_app_act_unsilence(void *self, json_t *body);
tw_control_reply tw_app_act_ack(void *self, json_t *body);

/* app_control.c */
int tw_app_start_control(tw_app *app, tw_err *err);
void tw_app_say_running(const tw_app *app); /* where to ask, and what there is */

/* app.c: the orderly stop goes on when something it waited for has happened */
void tw_app_step_down(tw_app *app);

#endif
