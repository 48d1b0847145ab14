// SPDX-License-Identifier: Apache-2.0
/* The functions of one rule file on one lane, as detect and route see them: numbers to call.
 * Implemented by core/rule (Lua lives there and nowhere else). One thread at a time. Every call
 * is protected and budgeted; a failure is counted and logged by the script itself, so callers
 * only decide what "no answer" means (a predicate that raised is false, a mapper gives nothing). */
#ifndef TW_FLOW_SCRIPT_H
#define TW_FLOW_SCRIPT_H

#include <jansson.h>

#include "flow/event.h"
#include "flow/plan.h"

/* A value that is a list: the most frequent values of a field, first the most frequent. */
#define TW_MAX_TOP 64
typedef struct tw_top_item {
    tw_value value;
    double count;
} tw_top_item;
typedef struct tw_top {
    const tw_top_item *items; /* NULL: the value is a number */
    uint32_t count;
} tw_top;

/* What a detector found, for when(v) and templates. */
typedef struct tw_result {
    const char *const *names;
    const double *values;
    const bool *has;
    uint32_t count;
    const tw_top *tops; /* by value; NULL: all are numbers */
} tw_result;

/* What a handler may do during one call; calls arrive on the same thread, inside the call. */
typedef struct tw_handler_host {
    const struct tw_handler_host_class *cls;
} tw_handler_host;

struct tw_handler_host_class {
    int64_t (*now)(tw_handler_host *h); /* event's time or the timer's */
    /* out borrowed until the next call into the host; ABSENT when unset */
    tw_value (*get)(tw_handler_host *h, const char *name);
    int (*set)(tw_handler_host *h, const char *name, tw_value v,
               tw_err *err); /* ABSENT removes */
    int (*expire)(tw_handler_host *h, const char *name, int64_t after_ms, tw_err *err);
    int (*timer)(tw_handler_host *h, const char *name, int64_t after_ms,
                 tw_err *err); /* <0 cancels */
    int (*fire)(tw_handler_host *h, json_t *options,
                tw_err *err); /* { severity, labels, title, ... } */
    int (*resolve)(tw_handler_host *h, tw_err *err);
};

/* An event that was kept, of which rule->kept is left. */
typedef struct tw_kept_view {
    const tw_value *values; /* rule->kept_count; NULL: none */
    int64_t time_ms;
    uint32_t stream; /* the input's */
    tw_origin origin;
} tw_kept_view;

/* The events of one role. */
typedef struct tw_role_view {
    uint32_t count;
    tw_kept_view first, last;
} tw_role_view;

/* One argument of a function that judges several events. */
typedef enum tw_arg_kind {
    TW_ARG_EVENT, /* the event that just came; at most one */
    TW_ARG_KEPT,
    TW_ARG_ROLES /* a table of roles by name: m.d.version, m.errors.last.code, g.a.count */
} tw_arg_kind;
typedef struct tw_arg {
    tw_arg_kind kind;
    const tw_event *ev;
    tw_kept_view kept;
    const tw_role_view *roles; /* rule->role_count */
} tw_arg;
#define TW_MAX_ARGS 3

/* A match of an older version of a rule, shown to its `migrate`. */
typedef struct tw_migration {
    const tw_rule *old;        /* by whose names */
    const char *step;          /* that it waits for */
    const tw_role_view *roles; /* of old: what it has taken */
    const tw_value *key;
    uint32_t key_count;
    const char *const *steps; /* the names that may be answered */
    uint32_t step_count;
    int answer; /* place in steps; -1: the match is dropped */
} tw_migration;

typedef struct tw_script {
    const struct tw_script_class *cls;
} tw_script;

struct tw_script_class {
    int (*test_event)(tw_script *s, int fn, const tw_event *ev, bool *out);
    int (*map_event)(tw_script *s, int fn, const tw_event *ev, double *out,
                     bool *out_has);
    int (*test_result)(tw_script *s, int fn, const tw_result *result, bool *out);
    /* where(l, r), where(e, m), where(g); the rule is the function's own. */
    int (*test_events)(tw_script *s, int fn, const tw_arg *args, uint32_t count,
                       bool *out);
    int (*handle_event)(tw_script *s, int fn, const tw_event *ev, const char *input,
                        tw_handler_host *host);
    int (*migrate)(tw_script *s, int fn, tw_migration *m);
    int (*handle_timer)(tw_script *s, int fn, const char *timer, tw_handler_host *host);
};

#endif
