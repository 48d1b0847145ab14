// SPDX-License-Identifier: Apache-2.0
/* The traffic; see traffic.h. */
#include "demo/traffic.h"

#include <stdlib.h>

#include "demo/story.h"

#define DAILY_EVERY_MS 1000
#define LONGEST_STEP_MS 500 /* after a pause the missed requests are not made up for */

void traffic_init(traffic *t, producer *p, const voice *v, int64_t now_ms,
                  int64_t length_ms)
{
    *t = (traffic){.producer = p,
                   .voice = v,
                   .began_ms = now_ms,
                   .last_ms = now_ms,
                   .length_ms = length_ms,
                   .random = UINT64_C(88172645463325252)};
}

static double fraction(const traffic *t, int64_t now_ms)
{
    return (double)(now_ms - t->began_ms) / (double)t->length_ms;
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

static void play_moment(traffic *t, const story_moment *m, int64_t now_ms)
{
    if (m->text)
        voice_happened(t->voice, now_ms, m->topic ? m->topic : m->event.topic, m->text);
    if (m->event.topic)
        send_event(t, &m->event, m->event.service, now_ms);
}

void traffic_go_on(traffic *t, int64_t now_ms)
{
    double at = fraction(t, now_ms);
    story_state s = story_at(at);

    while (t->moment < story_moment_count && story_moments[t->moment].at <= at)
        play_moment(t, &story_moments[t->moment++], now_ms);
    if (now_ms - t->began_ms >= (int64_t)(t->daily + 1) * DAILY_EVERY_MS) {
        const demo_event *e = &story_daily[t->daily++ % story_daily_count];
        send_event(t, e, e->service, now_ms);
    }
    send_requests(t, &s, now_ms);
    t->last_ms = now_ms;
    producer_serve(t->producer);
}

/* ---- metrics ----------------------------------------------------------------------- */

size_t traffic_metrics(const traffic *t, int64_t now_ms, char *out, size_t room)
{
    story_state s = story_at(fraction(t, now_ms));
    int n = snprintf(
        out, room,
        "# HELP cpu_percent Processor time in use, of what the service may have.\n"
        "# TYPE cpu_percent gauge\n"
        "cpu_percent{service=\"checkout\"} %.1f\n"
        "cpu_percent{service=\"cart\"} 31.5\n"
        "# HELP queue_depth Orders that wait.\n"
        "# TYPE queue_depth gauge\n"
        "queue_depth{service=\"checkout\"} %.0f\n"
        "queue_depth{service=\"cart\"} 2\n"
        "# HELP latency_p99_seconds 99 of 100 requests are faster.\n"
        "# TYPE latency_p99_seconds gauge\n"
        "latency_p99_seconds{service=\"checkout\"} %.3f\n"
        "latency_p99_seconds{service=\"cart\"} 0.041\n"
        "# HELP pods Pods that run.\n"
        "# TYPE pods gauge\n"
        "pods{service=\"checkout\"} %d\n"
        "pods{service=\"cart\"} 3\n",
        s.cpu, s.queue, s.latency_s, s.pods);

    return n > 0 && (size_t)n < room ? (size_t)n : 0;
}
