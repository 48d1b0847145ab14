// SPDX-License-Identifier: Apache-2.0
/* The traffic; see traffic.h. */
#include "demo/traffic.h"

#include <stdio.h>
#include <stdlib.h>

#include "demo/story.h"

#define DAILY_EVERY_MS 20
#define PARTITIONS 4        /* of a topic of the embedded broker */
#define LONGEST_STEP_MS 500 /* after a pause the missed requests are not made up for */

void traffic_init(traffic *t, producer *p, const voice *v, int64_t now_ms,
                  int64_t prelude_ms, int64_t length_ms)
{
    *t = (traffic){.producer = p,
                   .voice = v,
                   .opened_ms = now_ms,
                   .began_ms = now_ms + prelude_ms,
                   .last_ms = now_ms,
                   .length_ms = length_ms,
                   .random = UINT64_C(88172645463325252)};
}

/* In seconds of the story. */
static double story_time(const traffic *t, int64_t now_ms)
{
    return STORY_SECONDS * (double)(now_ms - t->began_ms) / (double)t->length_ms;
}

/* In [0, 1); xorshift64, the same on every run. */
static double chance(traffic *t)
{
    t->random ^= t->random << 13;
    t->random ^= t->random >> 7;
    t->random ^= t->random << 17;
    return (double)(t->random >> 11) / (double)(UINT64_C(1) << 53);
}

static void send_event(traffic *t, const demo_event *e, const char *key, int64_t now_ms)
{
    char *json = demo_event_json(e, ++t->events, now_ms);

    producer_send(t->producer, e->topic, key, json);
    free(json);
}

static void send_to_partition(traffic *t, const demo_event *e, int32_t partition,
                              int64_t now_ms)
{
    char *json = demo_event_json(e, ++t->events, now_ms);

    producer_send_to(t->producer, e->topic, partition, json);
    free(json);
}

/* ---- requests ---------------------------------------------------------------------- */

static void send_request(traffic *t, const char *service, double error_share,
                         double latency_ms, int64_t now_ms)
{
    static const char *const paths[] = {"/", "/items", "/orders", "/status"};
    bool failed = chance(t) < error_share;
    demo_event e = {.topic = "requests",
                    .type = "request",
                    .source = "gateway",
                    .service = service,
                    .path = paths[(size_t)(chance(t) * 4)],
                    .code = failed ? 503 : 200,
                    .latency_ms = latency_ms * (0.5 + chance(t))};

    send_event(t, &e, NULL, now_ms);
}

static void send_requests(traffic *t, const story_state *s, int64_t now_ms)
{
    int64_t step_ms = now_ms - t->last_ms;
    double seconds =
        (double)(step_ms < LONGEST_STEP_MS ? step_ms : LONGEST_STEP_MS) / 1000;

    for (t->due[0] += s->checkout_rate * seconds; t->due[0] >= 1; t->due[0]--)
        send_request(t, "checkout", s->error_share, s->latency_s * 500, now_ms);
    for (size_t i = 0; i < story_neighbour_count; i++) {
        double *due = &t->due[i + 1];
        for (*due += s->neighbour_rate * seconds; *due >= 1; --*due)
            send_request(t, story_neighbours[i], 0.002, 30, now_ms);
    }
}

/* ---- what happens once ------------------------------------------------------------- */

static void send_one_of_many(traffic *t, const story_moment *m, int number,
                             int64_t now_ms)
{
    demo_event e = m->event;
    char name[64];

    snprintf(name, sizeof name, "%s%d", m->hosts ? m->hosts : m->pods, number);
    *(m->hosts ? &e.host : &e.pod) = name;
    send_event(t, &e, name, now_ms);
}

static void play_moment(traffic *t, const story_moment *m, int64_t now_ms)
{
    if (m->part)
        voice_part(t->voice, m->part);
    if (m->text)
        voice_happened(t->voice, now_ms, m->topic ? m->topic : m->event.topic, m->text);
    for (int i = 0; i < m->count; i++)
        send_one_of_many(t, m, m->first + i, now_ms);
    if (m->event.topic && m->count == 0)
        send_event(t, &m->event, m->event.service, now_ms);
}

/* Every topic is busy on all of its partitions, as in any larger shop, so no rule has to wait until a
 * silent partition counts as idle. */
static void send_daily(traffic *t, int64_t now_ms)
{
    while (now_ms - t->opened_ms >= (int64_t)(t->daily + 1) * DAILY_EVERY_MS) {
        size_t n = t->daily++;
        send_to_partition(t, &story_daily[n % story_daily_count],
                          (int32_t)(n / story_daily_count % PARTITIONS), now_ms);
    }
}

void traffic_go_on(traffic *t, int64_t now_ms)
{
    double at = story_time(t, now_ms);
    story_state s = story_at(at);

    while (t->moment < story_moment_count && story_moments[t->moment].at <= at)
        play_moment(t, &story_moments[t->moment++], now_ms);
    send_daily(t, now_ms);
    send_requests(t, &s, now_ms);
    t->last_ms = now_ms;
    producer_serve(t->producer);
}

/* ---- metrics ----------------------------------------------------------------------- */

/* Nothing that is measured stands quite still. */
static double breath(int64_t now_ms)
{
    return (double)(now_ms / 50 % 7) / 7;
}

size_t traffic_metrics(const traffic *t, int64_t now_ms, char *out, size_t room)
{
    story_state s = story_at(story_time(t, now_ms));
    double b = breath(now_ms);
    int n = snprintf(
        out, room,
        "# HELP cpu_percent Processor time in use, of what the service may have.\n"
        "# TYPE cpu_percent gauge\n"
        "cpu_percent{service=\"checkout\"} %.1f\n"
        "cpu_percent{service=\"search\"} %.1f\n"
        "cpu_percent{service=\"cart\"} 31.5\n"
        "# HELP memory_percent Memory in use, of what the pod may have.\n"
        "# TYPE memory_percent gauge\n"
        "memory_percent{service=\"checkout\",pod=\"checkout-2\"} %.1f\n"
        "# HELP queue_depth Orders that wait.\n"
        "# TYPE queue_depth gauge\n"
        "queue_depth{service=\"checkout\"} %.0f\n"
        "queue_depth{service=\"cart\"} 2\n"
        "# HELP api_latency_p99 99 of 100 requests are faster, in milliseconds.\n"
        "# TYPE api_latency_p99 gauge\n"
        "api_latency_p99{service=\"checkout\"} %.0f\n"
        "api_latency_p99{service=\"search\"} %.0f\n"
        "api_latency_p99{service=\"cart\"} 41\n"
        "# HELP error_ratio Share of requests that fail.\n"
        "# TYPE error_ratio gauge\n"
        "error_ratio{service=\"checkout\"} %.4f\n"
        "error_ratio{service=\"search\"} %.4f\n"
        "# HELP pods Pods that run.\n"
        "# TYPE pods gauge\n"
        "pods{service=\"checkout\"} %d\n"
        "pods{service=\"search\"} %d\n",
        s.cpu, 35 + b, s.memory, s.queue, 1000 * s.latency_s, 900 + 20 * b, s.error_share,
        0.002 + 0.001 * b, s.pods, s.search_pods);

    return n > 0 && (size_t)n < room ? (size_t)n : 0;
}
