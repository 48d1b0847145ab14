// SPDX-License-Identifier: Apache-2.0
/* The numbered list of streams. Filled on the shore before lanes start; a stream never
 * moves. */
#include "flow/stream.h"

#include <string.h>

#include "base/mem.h"

#define DEFAULT_FUTURE_MS 60000
#define DEFAULT_ALIGN_MS 10000

struct tw_streams {
    tw_stream **at;
    uint32_t count, room;
};

tw_streams *tw_streams_new(void)
{
    return tw_alloc(sizeof(tw_streams));
}

static void free_stream(tw_stream *s)
{
    tw_free(s->name);
    tw_free(s->time_path);
    tw_free(s->key_path);
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
    tw_free(s->at);
    tw_free(s);
}

tw_stream *tw_streams_add(tw_streams *s, const char *name)
{
    tw_stream *stream = tw_streams_find(s, name);
    if (stream) {
        return stream;
    }
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 16;
        s->at = tw_realloc(s->at, s->room * sizeof(tw_stream *));
    }
    stream = tw_alloc(sizeof *stream);
    *stream = (tw_stream){.id = s->count,
                          .name = tw_strdup(name),
                          .format = TW_FORMAT_JSON,
                          .future_ms = DEFAULT_FUTURE_MS,
                          .align_ms = DEFAULT_ALIGN_MS,
                          .fields = tw_fields_new()};
    s->at[s->count++] = stream;
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
