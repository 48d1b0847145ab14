// SPDX-License-Identifier: Apache-2.0
/* What else happened to the same thing: how a rule asks for it (`context` in `enrich`), and the port
 * through which alerts and emitted events read what core/context remembers. A thing is an entity: a
 * field and its value, such as service = cart. The plan is immutable and shared; a port may be used
 * from the shore and from lanes. */
#ifndef TW_FLOW_CONTEXT_H
#define TW_FLOW_CONTEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow/template.h"

#define TW_MAX_CONTEXT_FIELDS 8 /* as many as a key has */

/* One field of what is asked about; borrowed. */
typedef struct tw_entity {
    const char *name, *value;
    size_t name_len, value_len;
} tw_entity;

typedef enum tw_context_kind {
    TW_CONTEXT_CHANGES, /* events of streams that tell of changes */
    TW_CONTEXT_ALERTS   /* incidents that opened, changed their level or ended */
} tw_context_kind;

typedef struct tw_context_query {
    tw_context_kind kind;
    const tw_entity *entities;
    uint32_t entity_count;
    int64_t from_ms, to_ms; /* after from, up to and with to */
    uint32_t most;          /* the newest of them */
    const char *not_rule;   /* alerts of this rule are left out; NULL */
} tw_context_query;

/* Something that became of an incident. */
typedef struct tw_context_alert {
    const tw_entity *entities;
    uint32_t entity_count;
    int64_t at_ms;
    const char *rule, *incident, *status, *level, *title;
} tw_context_alert;

typedef struct tw_context_port {
    /* Objects, oldest first; a new reference. Any thread. */
    json_t *(*read)(void *self, const tw_context_query *query);
    void (*note_alert)(void *self, const tw_context_alert *alert);
    void *self;
} tw_context_port;

/* context { "changes", "alerts", of = { "service" }, since = "30m" } */
typedef struct tw_context_plan {
    bool changes, alerts;
    int64_t since_ms;
    char **of; /* names of fields, and where their values come from */
    tw_template *values;
    uint32_t of_count;
} tw_context_plan;

void tw_context_plan_free(tw_context_plan *plan);

/* { "changes": [...], "alerts": [...] }, as far as the plan asks for them. Values that are empty are no
 * entity. port may be NULL, or without a reader. */
json_t *tw_context_gather(const tw_context_port *port, const tw_context_plan *plan,
                          const char *rule, char *const *values, int64_t at_ms);

/* What a path means within a look-up's row or a context: member by member, the whole rest first, since a
 * name may have dots; of a list `first`, `last` and, at the end, `count`. Borrowed; NULL: there is no
 * such thing, or it is a count, which *out_count then has (else -1). */
const json_t *tw_enrich_walk(const json_t *at, const char *path, int64_t *out_count);

/* "12m before: deploys service=cart kind=deploy version=v9": one change for people, against a time. */
char *tw_change_line(const json_t *change, int64_t at_ms); /* tw_free */

#endif
