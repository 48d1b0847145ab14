// SPDX-License-Identifier: Apache-2.0
/* The incident stage with rules made by hand, one clock for all of them, and what was told as one
 * line of text: "1s firing warn a | 3s resolved crit a". */
#ifndef TW_TESTS_INCIDENT_FIXTURE_H
#define TW_TESTS_INCIDENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "alert/incident.h"
#include "base/mem.h"

#define SECOND INT64_C(1000)
#define OK TW_LEVEL_OK
#define WARN TW_LEVEL_WARN
#define CRIT TW_LEVEL_CRIT

typedef struct stage {
    tw_stats *stats;
    tw_streams *streams;
    tw_incidents *incidents;
    tw_clock now;
    int64_t clock_ms; /* of every rule */
    bool idle;        /* nothing is left to read for any rule */
    tw_level from;    /* the level that signals say was before */
    bool by_event;    /* resolves are those of `resolve.on` */
    char told[65536];
    size_t told_size;
    char changes[16384]; /* "firing a | inhibited b" */
    char last_id[40];
    json_t *last; /* the last notification */
    tw_rule *rules[4];
    uint32_t rule_count;
} stage;

static inline int key_part(void *self, const char *path, tw_part *out, tw_err *err)
{
    (void)self;
    (void)err;
    *out = (tw_part){.kind = TW_PART_KEY, .index = strcmp(path, "zone") == 0 ? 1 : 0};
    return TW_OK;
}

/* Key: host and zone. Its incidents are called by the host. */
static inline tw_rule *add_rule(stage *s, const char *name, const char *id)
{
    tw_template_names names = {key_part, NULL};
    tw_rule *rule = tw_rule_new();

    rule->name = tw_strdup(name);
    rule->version = tw_strdup("1");
    rule->key_names[0] = tw_strdup("host");
    rule->key_names[1] = tw_strdup("zone");
    rule->key_count = 2;
    rule->incident.set = true;
    tw_template_compile(&rule->incident.id, id, &names, NULL);
    s->rules[s->rule_count++] = rule;
    return rule;
}

static inline void on_stage_told(void *self, tw_notification *n)
{
    stage *s = self;
    char many[32] = "";

    if (n->stands_for != 1)
        snprintf(many, sizeof many, " x%llu", (unsigned long long)n->stands_for);
    s->told_size += (size_t)snprintf(
        s->told + s->told_size, sizeof s->told - s->told_size, "%s%llds %s %s %s%s%s%s%s",
        s->told_size ? " | " : "", (long long)(n->at_ms / SECOND),
        n->resolved ? "resolved" : "firing", tw_level_name(n->level), n->incident, many,
        n->flapping ? " flapping" : "", n->reminder ? " reminder" : "",
        n->storm ? " storm" : "");
    snprintf(s->last_id, sizeof s->last_id, "%s", n->episode_id);
    json_decref(s->last);
    s->last = tw_notification_json(n);
}

static inline void on_stage_change(void *self, const tw_change *c)
{
    stage *s = self;
    size_t at = strlen(s->changes);

    snprintf(s->changes + at, sizeof s->changes - at, "%s%s %s", at ? " | " : "",
             c->change, c->incident);
}

static inline int64_t stage_clock(void *self, const char *rule)
{
    (void)rule;
    return ((stage *)self)->clock_ms;
}

static inline bool stage_idle(void *self, const char *rule)
{
    (void)rule;
    return ((stage *)self)->idle;
}

static inline tw_incidents *new_incidents(stage *s)
{
    tw_incidents_options options = {.notify = {on_stage_told, s},
                                    .change = {on_stage_change, s},
                                    .streams = s->streams,
                                    .clock = {stage_clock, stage_idle, s},
                                    .now = &s->now,
                                    .stats = s->stats};
    return tw_incidents_new(&options);
}

static inline void open_stage(stage *s)
{
    *s = (stage){.stats = tw_stats_new(), .streams = tw_streams_new()};
    tw_clock_init_virtual(&s->now, 0);
    tw_streams_add(s->streams, "requests");
    s->incidents = new_incidents(s);
}

static inline void close_stage(stage *s)
{
    tw_incidents_free(s->incidents);
    for (uint32_t i = 0; i < s->rule_count; i++)
        tw_rule_unref(s->rules[i]);
    tw_streams_free(s->streams);
    tw_stats_free(s->stats);
    json_decref(s->last);
}

static inline uint32_t put_text(uint8_t *out, const char *text)
{
    size_t n = strlen(text);

    out[0] = TW_STRING;
    out[1] = (uint8_t)n;
    memcpy(out + 2, text, n);
    return (uint32_t)n + 2;
}

static inline void send_kind(stage *s, tw_rule *rule, tw_signal_kind kind,
                             const char *host, const char *zone, tw_level level,
                             int64_t at_s)
{
    uint8_t bytes[128];
    uint32_t n = put_text(bytes, host);

    n += put_text(bytes + n, zone);
    tw_signal signal = {.rule = rule,
                        .kind = kind,
                        .from = s->from,
                        .level = level,
                        .by_event = s->by_event,
                        .at_ms = at_s * SECOND,
                        .key = tw_key_from_bytes(bytes, n),
                        .newest = {.partition = -1},
                        .start_ms = TW_TIME_NONE,
                        .stop_ms = TW_TIME_NONE};
    tw_incidents_signal(s->incidents, &signal);
}

/* The clock of all rules and of the day comes to this time. */
static inline void come_to(stage *s, int64_t at_s)
{
    s->clock_ms = at_s * SECOND;
    tw_clock_set(&s->now, s->clock_ms);
    tw_incidents_advance(s->incidents, stage_clock, s, false);
}

/* The level of a host in zone z at a time. */
static inline void level(stage *s, tw_rule *rule, const char *host, tw_level to,
                         int64_t at_s)
{
    come_to(s, at_s);
    send_kind(s, rule, TW_SIGNAL_LEVEL, host, "z", to, at_s);
}

static inline void occur(stage *s, tw_rule *rule, const char *host, int64_t at_s)
{
    come_to(s, at_s);
    send_kind(s, rule, TW_SIGNAL_OCCURRENCE, host, "z", CRIT, at_s);
}

static inline char **label_list(const char *name)
{
    char **list = tw_calloc(2, sizeof *list);
    list[0] = tw_strdup(name);
    return list;
}

#endif
