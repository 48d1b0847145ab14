// SPDX-License-Identifier: Apache-2.0
/* The sink `demo`: alerts as part of the demo's story on the terminal. Shore. */
#include <stdlib.h>

#include "demo/demo.h"
#include "demo/voice.h"
#include "shared/settings.h"

typedef struct demo_sink {
    const tw_host *host;
    voice voice;
} demo_sink;

static const char schema[] =
    "{\"type\": \"object\", \"properties\": {" DEMO_COLOURS_SCHEMA "}}";

static void *sink_open(const tw_host *h, tw_refusal *refusal)
{
    json_t *settings = settings_read(h->settings, schema, refusal);
    if (!settings)
        return NULL;

    demo_sink *s = shared_alloc(sizeof *s);
    s->host = h;
    voice_init(&s->voice, settings_text(settings, "colours"));
    json_decref(settings);
    return s;
}

static int sink_start(void *instance, tw_refusal *refusal)
{
    (void)instance;
    (void)refusal;
    return 0;
}

static void sink_deliver(void *instance, tw_delivery *d)
{
    demo_sink *s = instance;

    for (size_t i = 0; i < d->count; i++) {
        if (d->records[i]->kind == TW_RECORD_ALERT)
            voice_told(&s->voice, s->host->now_ms(s->host), d->records[i]);
    }
    s->host->done(s->host, d,
                  &(tw_answer){.size = sizeof(tw_answer), .answer = TW_ANSWER_DONE});
}

static void sink_stop(void *instance)
{
    demo_sink *s = instance;
    s->host->stopped(s->host);
}

static void sink_close(void *instance)
{
    free(instance);
}

const tw_sink_type demo_sink_type = {
    .size = sizeof(tw_sink_type),
    .kind = "demo",
    .settings = schema,
    .max_batch = 16,
    .max_inflight = 1,
    .open = sink_open,
    .start = sink_start,
    .deliver = sink_deliver,
    .stop = sink_stop,
    .close = sink_close,
};
