// SPDX-License-Identifier: Apache-2.0
/* The HTTP side of a running engine: health, readiness, metrics, reload and the JSON API,
 * served by libmicrohttpd, whose epoll descriptor is watched by the shore's loop. It is
 * handed a table of verbs and views and knows nothing of what is behind them. Shore
 * thread.
 *
 *     GET  /-/healthy      200 while the process lives
 *     GET  /-/ready        200, or 503 with the reasons
 *     POST /-/reload       200 with a report, 422 with diagnostics   (PUT too)
 *     GET  /metrics        Prometheus text
 *     GET  /api/v1/status  and further views by name: /api/v1/<view>
 *
 * With a token every request but /-/healthy and /-/ready needs `Authorization: Bearer <token>`.
 * Without one the Host it names must be an address or localhost, and an Origin must be that host:
 * a web page that somebody on this machine looks at cannot reach the engine through the browser.
 * What is refused is answered with JSON: {"error": ..., ...}. */
#ifndef TW_CONTROL_CONTROL_H
#define TW_CONTROL_CONTROL_H

#include <jansson.h>

#include "base/stats.h"
#include "host/loop.h"

typedef struct tw_control_reply {
    int status;
    json_t *body; /* new reference, given to the control */
} tw_control_reply;

typedef struct tw_view {
    const char *name;            /* "status" */
    json_t *(*show)(void *self); /* new reference */
} tw_view;

typedef struct tw_verb {
    const char *path;                                  /* "/-/reload" */
    tw_control_reply (*act)(void *self, json_t *body); /* body may be NULL */
} tw_verb;

typedef struct tw_control_options {
    tw_loop *loop;
    const char *host;
    uint16_t port;     /* 0: any free one */
    const char *token; /* NULL: none */
    tw_stats *stats;
    /* NULL when ready, else a list of reasons (new reference). May be NULL: always ready. */
    json_t *(*not_ready)(void *self);
    void (*before_metrics)(void *self); /* brings gauges up to date; may be NULL */
    const tw_view *views; /* ended by a NULL name; lives as long as the control */
    const tw_verb *verbs; /* ended by a NULL path; so does this */
    void *self;
} tw_control_options;

typedef struct tw_control tw_control;
/* Listens at once. TW_EIO in err when the address cannot be had. */
tw_control *tw_control_start(const tw_control_options *options, tw_err *err);
void tw_control_stop(tw_control *c); /* frees it; NULL is fine */
uint16_t tw_control_port(const tw_control *c);

#endif
