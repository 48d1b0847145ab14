// SPDX-License-Identifier: Apache-2.0
/* The numbered list of streams. Filled on the shore; a stream never moves, and lanes may look one up
 * while another is added: a list that was outgrown stays until the end. */
#include "flow/stream.h"

#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define DEFAULT_FUTURE_MS 60000
#define DEFAULT_ALIGN_MS 10000

#define MAX_GROWTHS 28

typedef struct emitter {
    uint32_t number;
    char *rule;
    const tw_stream *into;
} emitter;

struct tw_streams {
    tw_stream **_Atomic at;
    _Atomic uint32_t count;
    uint32_t room, growths;
    tw_stream **outgrown[MAX_GROWTHS];
    emitter *emitters;
    uint32_t emitter_count;
};

tw_streams *tw_streams_new(void)
{
    return tw_alloc(sizeof(tw_streams));
}

const char *const tw_streams_of_changes[] = {"deploys",
                                             "deployments",
                                             "rollouts",
                                             "config_changes",
                                             "feature_flags",
                                             "scaling_events",
                                             "resource_provisioning",
                                             "provisioning_events",
                                             "changes",
                                             NULL};

bool tw_stream_name_tells_changes(const char *name)
{
    for (size_t i = 0; tw_streams_of_changes[i]; i++)
        if (strcmp(name, tw_streams_of_changes[i]) == 0)
            return true;
    return false;
}

static void free_stream(tw_stream *s)
{
    for (uint32_t i = 0; i < s->change_of_count; i++)
        tw_free(s->change_of[i]);
    tw_free(s->change_of);
    tw_free(s->name);
    tw_free(s->time_path);
    tw_free(s->key_path);
    tw_declared_free(s->declared);
    tw_fields_free(s->fields);
    tw_free(s);
}

void tw_streams_free(tw_streams *s)
{
    if (!s) {
        return;
    }
    for (uint32_t n = 0; n < s->count; n++) {
        free_stream(s->at[n]);
    }
    for (uint32_t n = 0; n < s->growths; n++) {
        tw_free(s->outgrown[n]);
    }
    for (uint32_t n = 0; n < s->emitter_count; n++) {
        tw_free(s->emitters[n].rule);
    }
    tw_free(s->emitters);
    tw_free(s->at);
    tw_free(s);
}

static void grow(tw_streams *s)
{
    uint32_t room = s->room ? 2 * s->room : 16;
    tw_stream **larger = tw_calloc(room, sizeof(tw_stream *)), **old = s->at;

    if (old)
        memcpy(larger, old, s->count * sizeof(tw_stream *));
    s->outgrown[s->growths++] = old;
    s->room = room;
    atomic_store(&s->at, larger);
}

tw_stream *tw_streams_add(tw_streams *s, const char *name)
{
    tw_stream *stream = tw_streams_find(s, name);
    if (stream) {
        return stream;
    }
    if (s->count == s->room)
        grow(s);
    stream = tw_alloc(sizeof *stream);
    *stream = (tw_stream){.id = s->count,
                          .name = tw_strdup(name),
                          .format = TW_FORMAT_JSON,
                          .future_ms = DEFAULT_FUTURE_MS,
                          .align_ms = DEFAULT_ALIGN_MS,
                          .changes = tw_stream_name_tells_changes(name),
                          .fields = tw_fields_new()};
    s->at[s->count] = stream;
    atomic_fetch_add(&s->count, 1);
    return stream;
}

tw_stream *tw_streams_find(const tw_streams *s, const char *name)
{
    for (uint32_t n = 0; n < s->count; n++) {
        if (strcmp(s->at[n]->name, name) == 0) {
            return s->at[n];
        }
    }
    return NULL;
}

tw_stream *tw_streams_at(const tw_streams *s, uint32_t id)
{
    return id < s->count ? s->at[id] : NULL;
}

uint32_t tw_streams_count(const tw_streams *s)
{
    return s->count;
}

/* ---- who emits --------------------------------------------------------------------- */

static emitter *find_emitter(const tw_streams *s, uint32_t number)
{
    for (uint32_t n = 0; n < s->emitter_count; n++) {
        if (s->emitters[n].number == number) {
            return &s->emitters[n];
        }
    }
    return NULL;
}

uint32_t tw_streams_emitter(tw_streams *s, const char *rule, const tw_stream *into)
{
    uint32_t number = (uint32_t)tw_hash_stable(rule, strlen(rule));
    emitter *known = NULL;

    while (number == 0 ||
           ((known = find_emitter(s, number)) && strcmp(known->rule, rule))) {
        number++;
    }
    if (!known) {
        s->emitters =
            tw_realloc(s->emitters, (s->emitter_count + 1) * sizeof *s->emitters);
        known = &s->emitters[s->emitter_count++];
        *known = (emitter){.number = number, .rule = tw_strdup(rule)};
    }
    known->into = into;
    return number;
}

const char *tw_streams_emitter_of(const tw_streams *s, uint32_t number,
                                  const tw_stream **out_into)
{
    const emitter *known = find_emitter(s, number);

    if (!known) {
        return NULL;
    }
    *out_into = known->into;
    return known->rule;
}
