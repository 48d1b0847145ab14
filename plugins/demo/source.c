// SPDX-License-Identifier: Apache-2.0
/* The source `demo`: it has no feeds of its own but makes what other sources read. Records go into the
 * embedded broker of the Kafka plugin, whose address stands in the engine's state directory, and metrics
 * stand on a page of its own. Shore. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "demo/demo.h"
#include "demo/endpoint.h"
#include "demo/traffic.h"
#include "shared/settings.h"

#define TICK_MS 20
#define BROKER_WITHIN_MS 10000

typedef struct demo_source {
    const tw_host *host;
    int64_t length_ms, prelude_ms, opened_ms;
    uint16_t metrics_port;
    voice voice;
    endpoint *endpoint;
    producer *producer; /* NULL until the broker is there */
    traffic traffic;
    tw_watch *tick;
} demo_source;

static const char schema[] =
    "{\"type\": \"object\", \"properties\": {"
    "\"for\": {\"type\": \"string\", \"format\": \"duration\", \"default\": \"60s\", "
    "\"description\": \"how long the story takes\"},"
    "\"prelude\": {\"type\": \"string\", \"format\": \"duration\", \"default\": \"4s\", "
    "\"description\": \"how long everyday traffic goes before it\"},"
    "\"metrics_port\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 65535, "
    "\"default\": 0, \"description\": \"port of the page on 127.0.0.1; 0: a free one\"}"
    "," DEMO_COLOURS_SCHEMA "}}";

/* ---- the broker -------------------------------------------------------------------- */

/* Whether the address is there; the Kafka plugin writes it when its broker runs. */
static bool read_address(const demo_source *s, char *out, size_t room)
{
    char path[4096];

    if (!s->host->state_dir)
        return false;
    snprintf(path, sizeof path, "%s/embedded-broker", s->host->state_dir);
    FILE *in = fopen(path, "re");
    if (!in)
        return false;
    char *line = fgets(out, (int)room, in);
    fclose(in);
    if (!line || !strchr(line, '\n'))
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static void meet_broker(demo_source *s)
{
    char address[256];
    tw_refusal refusal = {.size = sizeof refusal};
    int64_t now_ms = s->host->now_ms(s->host);

    if (read_address(s, address, sizeof address)) {
        s->producer = producer_new(address, &refusal);
        if (!s->producer) {
            s->host->failed(s->host, refusal.text, 1);
            return;
        }
        voice_begin(now_ms + s->prelude_ms);
        traffic_init(&s->traffic, s->producer, &s->voice, now_ms, s->prelude_ms,
                     s->length_ms);
    } else if (now_ms - s->opened_ms > BROKER_WITHIN_MS) {
        s->host->failed(s->host,
                        "no embedded broker: state_dir and a source of kind kafka with "
                        "brokers: embedded are needed",
                        1);
    }
}

static void on_tick(void *arg)
{
    demo_source *s = arg;

    if (!s->producer)
        meet_broker(s);
    if (s->producer)
        traffic_go_on(&s->traffic, s->host->now_ms(s->host));
}

static size_t write_page(void *self, char *out, size_t room)
{
    demo_source *s = self;
    return s->producer ? traffic_metrics(&s->traffic, s->host->now_ms(s->host), out, room)
                       : 0;
}

/* ---- life -------------------------------------------------------------------------- */

static void *source_open(const tw_host *h, const char *const *topics, size_t topic_count,
                         tw_refusal *refusal)
{
    json_t *settings = settings_read(h->settings, schema, refusal);
    if (!settings)
        return NULL;
    if (topic_count) {
        json_decref(settings);
        return settings_refuse(refusal, "no stream can read from it ('%s')", topics[0]);
    }
    demo_source *s = shared_alloc(sizeof *s);
    s->host = h;
    s->opened_ms = h->now_ms(h);
    s->length_ms = settings_ms(settings, "for");
    s->prelude_ms = settings_ms(settings, "prelude");
    s->metrics_port = (uint16_t)settings_int(settings, "metrics_port");
    voice_init(&s->voice, settings_text(settings, "colours"));
    json_decref(settings);
    return s;
}

static int source_start(void *instance, tw_refusal *refusal)
{
    demo_source *s = instance;
    char text[80];

    s->endpoint = endpoint_new(s->host, s->metrics_port, write_page, s, refusal);
    if (!s->endpoint)
        return -1;
    snprintf(text, sizeof text, "metrics on http://127.0.0.1:%d/metrics",
             (int)endpoint_port(s->endpoint));
    s->host->log(s->host, TW_PLUGIN_INFO, text);
    s->tick = s->host->watch_timer(s->host, 0, TICK_MS, on_tick, s);
    return 0;
}

static void source_stop(void *instance)
{
    demo_source *s = instance;
    char text[80];

    s->host->watch_end(s->tick);
    endpoint_free(s->endpoint);
    s->endpoint = NULL;
    if (s->producer) {
        snprintf(text, sizeof text, "%" PRIu64 " records made, %" PRIu64 " not taken",
                 s->traffic.events, producer_lost(s->producer));
        s->host->log(s->host, TW_PLUGIN_INFO, text);
    }
    s->host->stopped(s->host);
}

static void source_close(void *instance)
{
    demo_source *s = instance;

    endpoint_free(s->endpoint);
    producer_free(s->producer);
    free(s);
}

/* ---- feeds, of which there are none ------------------------------------------------ */

static void source_handled(void *instance, tw_feed *feed, int64_t next_offset)
{
    (void)instance;
    (void)feed;
    (void)next_offset;
}

static int source_poll(tw_feed *feed, tw_frame *frames, int max)
{
    (void)feed;
    (void)frames;
    (void)max;
    return 0;
}

static void source_release(tw_feed *feed, tw_frame *frames, int count)
{
    (void)feed;
    (void)frames;
    (void)count;
}

const tw_source_type demo_source_type = {
    .size = sizeof(tw_source_type),
    .kind = "demo",
    .settings = schema,
    .open = source_open,
    .start = source_start,
    .stop = source_stop,
    .close = source_close,
    .handled = source_handled,
    .poll = source_poll,
    .release = source_release,
};
