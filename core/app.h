// SPDX-License-Identifier: Apache-2.0
/* The running engine: the only wiring. Builds from the sink upward, starts sources last, stops sources
 * first, drains downward. Shore thread. */
#ifndef TW_APP_H
#define TW_APP_H

#include "alert/incident.h"
#include "config.h"
#include "rule/rules.h"

typedef struct tw_app tw_app;

typedef struct tw_app_options {
    tw_config *config;     /* borrowed */
    bool exit_at_end;      /* stop, drained, when every feed has reached its end */
    int64_t stop_after_ms; /* stop after so long; 0: when told */
    /* Everything that is told, for the demo's story; may be NULL. Borrowed json. */
    void (*told)(void *self, const char *line_json);
    void *told_self;
    /* The report of each reload, instead of the lines in the log; may be NULL. Borrowed. */
    void (*reloaded)(void *self, const json_t *report);
    void *reloaded_self;
    /* Every change of an incident, told or not; its `change` may be NULL. */
    tw_change_port changed;
    /* Called four times a second while it runs; may be NULL. */
    void (*beat)(void *self);
    void *beat_self;
} tw_app_options;

/* Opens everything but the sources. Findings of rules are printed by the caller. */
tw_app *tw_app_new(const tw_app_options *options, tw_findings *out_findings, tw_err *err);
/* Starts the sources and runs until stopped. Returns the exit code; ends the process when a
 * connector does not stop, since its threads may be at work still. */
int tw_app_run(tw_app *app);
/* From any signal handler of the loop, or a callback: begins the orderly stop. */
void tw_app_stop(tw_app *app);
void tw_app_free(tw_app *app);

/* Reads the configuration file, the rules and changed tables again; the report goes to the log and, as
 * JSON, to the caller (new reference). 0, or negative with everything as it was. */
int tw_app_reload(tw_app *app, json_t **out_report);
uint16_t tw_app_control_port(const tw_app *app);
/* Events judged so far. */
uint64_t tw_app_events(const tw_app *app);
uint32_t tw_app_rule_count(const tw_app *app);

#endif
