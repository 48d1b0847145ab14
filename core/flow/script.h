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

/* What a detector found, for when(v) and templates. */
typedef struct tw_result {
    const char *const *names;
    const double *values;
    const bool *has;
    uint32_t count;
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

typedef struct tw_script {
    const struct tw_script_class *cls;
} tw_script;

struct tw_script_class {
    int (*test_event)(tw_script *s, int fn, const tw_event *ev, bool *out);
    int (*map_event)(tw_script *s, int fn, const tw_event *ev, double *out,
                     bool *out_has);
    int (*test_result)(tw_script *s, int fn, const tw_result *result, bool *out);
    int (*handle_event)(tw_script *s, int fn, const tw_event *ev, const char *input,
                        tw_handler_host *host);
    int (*handle_timer)(tw_script *s, int fn, const char *timer, tw_handler_host *host);
};

#endif
