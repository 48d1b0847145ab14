// SPDX-License-Identifier: Apache-2.0
/* The demo's lines; see voice.h. */
#include "demo/voice.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RED "\033[1;31m"
#define GREEN "\033[1;32m"
#define BOLD "\033[1m"
#define FAINT "\033[2m"
#define PLAIN "\033[0m"

/* The one thing that the source and the sink, which know nothing of each other, must agree on. */
static int64_t began_ms;

void voice_begin(int64_t now_ms)
{
    began_ms = now_ms;
}

void voice_init(voice *v, const char *setting)
{
    const char *no_color = getenv("NO_COLOR");
    bool terminal = isatty(STDOUT_FILENO) && !(no_color && *no_color);

    *v = (voice){.out = stdout};
    v->colours = strcmp(setting, "auto") == 0 ? terminal : strcmp(setting, "always") == 0;
}

static const char *ink(const voice *v, const char *colour)
{
    return v->colours ? colour : "";
}

static void write_time(const voice *v, int64_t now_ms)
{
    int64_t s = now_ms > began_ms ? (now_ms - began_ms) / 1000 : 0;
    fprintf(v->out, "%s%3d:%02d%s  ", ink(v, FAINT), (int)(s / 60), (int)(s % 60),
            ink(v, PLAIN));
}

void voice_happened(const voice *v, int64_t now_ms, const char *topic, const char *text)
{
    write_time(v, now_ms);
    fprintf(v->out, "%s%-21s%s  %s\n", ink(v, FAINT), topic, ink(v, PLAIN), text);
    fflush(v->out);
}

/* The rule's key; what every alert carries says nothing here. */
static void write_labels(const voice *v, const tw_record *r)
{
    for (size_t i = 0; i < r->label_count; i++) {
        const tw_pair *l = &r->labels[i];
        if (strcmp(l->name, "rule") != 0 && strcmp(l->name, "severity") != 0 &&
            strcmp(l->name, "alertname") != 0)
            fprintf(v->out, "  %s=%s", l->name, l->value);
    }
}

/* Without the number of samples, which says little to who sees it for the first time. */
static void write_values(const voice *v, const tw_record *r)
{
    json_t *record = json_loadb(r->json, r->json_size, 0, NULL), *value;
    const char *name;

    json_object_foreach(json_object_get(record, "values"), name, value)
    {
        if (json_is_number(value) && strcmp(name, "count") != 0)
            fprintf(v->out, "  %s %.*g", name, json_is_integer(value) ? 15 : 3,
                    json_number_value(value));
    }
    json_decref(record);
}

void voice_told(const voice *v, int64_t now_ms, const tw_record *r)
{
    bool resolved = strcmp(r->status, "resolved") == 0;

    write_time(v, now_ms);
    fprintf(v->out, "%s%-11s%-10s%s  %s%s%s\n", ink(v, resolved ? GREEN : RED),
            resolved ? "<- RESOLVED" : "-> FIRING", resolved ? "" : r->level,
            ink(v, PLAIN), ink(v, BOLD), r->title, ink(v, PLAIN));
    fprintf(v->out, "%31s%srule %s", "", ink(v, FAINT), r->rule);
    write_labels(v, r);
    write_values(v, r);
    if (resolved && r->ends_at_ms > r->starts_at_ms)
        fprintf(v->out, "  after %d s", (int)((r->ends_at_ms - r->starts_at_ms) / 1000));
    fprintf(v->out, "%s\n", ink(v, PLAIN));
    fflush(v->out);
}
