// SPDX-License-Identifier: Apache-2.0
/* Makes the reference events by putting numbers into constant text; about as fast as a
 * copy. */
#include "events.h"

#include <string.h>

static const char *const types[20] = {
    "request_failed", "request_slow",   "deploy_started", "deploy_finished",
    "scale_out",      "scale_in",       "node_joined",    "node_left",
    "disk_full",      "disk_recovered", "probe_failed",   "probe_passed",
    "cert_renewed",   "config_changed", "queue_backlog",  "replica_lagging",
    "leader_elected", "job_failed",     "job_finished",   "quota_exceeded",
};
static const char *const severities[10] = {"error", "info", "info", "debug", "info",
                                           "warn",  "info", "info", "warn",  "info"};
static const char *const regions[4] = {"eu-west-1", "eu-north-1", "us-east-2",
                                       "ap-south-1"};

typedef struct writer {
    char *at;
} writer;

static void put(writer *w, const char *text)
{
    size_t n = strlen(text);
    memcpy(w->at, text, n);
    w->at += n;
}

static void put_number(writer *w, uint64_t v, int min_digits)
{
    char digits[20];
    int n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0 || n < min_digits);
    while (n > 0) {
        *w->at++ = digits[--n];
    }
}

static void put_hex(writer *w, uint64_t v, int digits)
{
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
        *w->at++ = "0123456789abcdef"[v >> shift & 15];
    }
}

/* xoroshiro128+ (D. Blackman and S. Vigna). */
static uint64_t next_random(events *g)
{
    uint64_t a = g->state[0];
    uint64_t b = g->state[1];
    uint64_t sum = a + b;

    b ^= a;
    g->state[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
    g->state[1] = b << 37 | b >> 27;
    return sum;
}

/* splitmix64 (G. Steele and others) spreads a small seed over the state. */
static uint64_t split_mix(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void events_init(events *g, uint64_t seed)
{
    g->state[0] = split_mix(&seed);
    g->state[1] = split_mix(&seed);
    g->count = 0;
}

static void put_host(writer *w, uint32_t host, event_facts *facts)
{
    char *start = w->at;

    put(w, "web-");
    put_number(w, host, 4);
    *w->at++ = '.';
    put(w, regions[host % 4]);
    facts->host = start;
    facts->host_len = (uint32_t)(w->at - start);
    facts->host_number = host;
}

static void put_message(writer *w, uint64_t r)
{
    put(w, "\"message\":\"GET \\\"/api/v2/orders/");
    put_number(w, r % 1000000, 6);
    put(w, "\\\" took ");
    put_number(w, r >> 20 & 8191, 1);
    put(w, " ms:\\n\\tupstream connection was closed before the answer\",");
}

static void put_labels(writer *w, uint32_t host, uint64_t r)
{
    put(w, "\"labels\":{\"zone\":\"");
    put(w, regions[host % 4]);
    *w->at++ = (char)('a' + host % 3);
    put(w, "\",\"rack\":\"r");
    put_number(w, host % 97, 2);
    put(w, "\",\"team\":\"team-");
    put_number(w, r % 40, 2);
    put(w, "\",\"env\":\"prod\"},");
}

size_t events_next(events *g, char *out, event_facts *facts)
{
    writer w = {.at = out};
    event_facts own;
    uint64_t a = next_random(g);
    uint64_t b = next_random(g);
    uint32_t host = (uint32_t)((a & 0xffffffff) * EVENTS_HOSTS >> 32);
    uint64_t severity = a >> 32 & 0xffff;

    facts = facts ? facts : &own;
    facts->is_error = severity % 10 == 0;
    facts->time_ms = EVENTS_START_MS + 1000 - (int64_t)(b % 1000) +
                     (int64_t)(g->count++ * 1000 / EVENTS_PER_SECOND);

    put(&w, "{\"id\":\"");
    put_hex(&w, a * UINT64_C(0x9e3779b97f4a7c15), 16);
    put(&w, "\",\"time\":");
    put_number(&w, (uint64_t)facts->time_ms, 13);
    put(&w, ",\"type\":\"");
    put(&w, types[(b >> 10) % 20]);
    put(&w, "\",\"host\":\"");
    put_host(&w, host, facts);
    put(&w, "\",\"service\":\"service-");
    put_number(&w, (b >> 16) % 200, 3);
    put(&w, "\",\"region\":\"");
    put(&w, regions[host % 4]);
    put(&w, "\",\"severity\":\"");
    put(&w, severities[severity % 10]);
    put(&w, "\",\"code\":");
    put_number(&w, severity % 10 == 0 ? 500 + (b >> 24) % 5 : 200 + (b >> 24) % 5, 3);
    put(&w, ",\"latency_ms\":");
    put_number(&w, b >> 30 & 2047, 1);
    *w.at++ = '.';
    put_number(&w, (b >> 41) % 100, 2);
    put(&w, ",\"version\":\"2.");
    put_number(&w, (b >> 48) % 30, 1);
    put(&w, ".7\",");
    put_message(&w, b ^ a >> 7);
    put_labels(&w, host, b >> 16);
    put(&w, "\"trace\":\"");
    put_hex(&w, b * UINT64_C(0xbf58476d1ce4e5b9), 16);
    put_hex(&w, a + b, 16);
    put(&w, "\",\"retries\":");
    put_number(&w, (b >> 55) % 4, 1);
    put(&w, ",\"sampled\":true,\"parent\":null}");
    return (size_t)(w.at - out);
}
