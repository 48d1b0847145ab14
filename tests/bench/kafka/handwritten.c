// SPDX-License-Identifier: Apache-2.0
/* handwritten BROKERS TOPIC: "errors per host" and nothing else, as somebody would write it who
 * may count on the topic: fields are found by the text before them, there is no parser, and
 * an alert is a line in memory. Prints {"events": N, "alerts": N, "hosts": N}, hosts being
 * those that raised one.
 *
 * A sliding count of 5 minutes by event time for each host: the times of what is in the
 * window, sorted. An event is judged at the newest time of its host; the alert ends when the
 * count falls below the threshold. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consume.h"

enum { OVER_MS = 300000, THRESHOLD = 30, SLOTS = 1 << 14, ROOM = 128, HOST_BYTES = 48 };

typedef struct host {
    char name[HOST_BYTES];
    uint32_t name_len;
    bool firing, fired;
    uint32_t head, count; /* of the ring */
    int64_t times[ROOM];
} host;

typedef struct job {
    host *slots[SLOTS];
    int64_t alerts, hosts;
} job;

static host *find_host(job *j, const char *name, size_t len)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a */

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)name[i]) * 1099511628211u;
    for (size_t at = (hash ^ hash >> 32) % SLOTS;; at = (at + 1) % SLOTS) {
        host *h = j->slots[at];
        if (!h) {
            h = j->slots[at] = calloc(1, sizeof *h);
            memcpy(h->name, name, len);
            h->name_len = (uint32_t)len;
            return h;
        }
        if (h->name_len == len && memcmp(h->name, name, len) == 0)
            return h;
    }
}

static int64_t *time_at(host *h, uint32_t n)
{
    return &h->times[(h->head + n) % ROOM];
}

static void count_error(job *j, host *h, int64_t time_ms)
{
    int64_t now_ms = time_ms;
    uint32_t at = h->count;

    if (at > 0 && *time_at(h, at - 1) > now_ms)
        now_ms = *time_at(h, at - 1);
    while (h->count > 0 && *time_at(h, 0) <= now_ms - OVER_MS) {
        h->head = (h->head + 1) % ROOM;
        h->count--;
    }
    if (h->count < THRESHOLD)
        h->firing = false;
    if (time_ms <= now_ms - OVER_MS || h->count == ROOM)
        return;
    for (at = h->count++; at > 0 && *time_at(h, at - 1) > time_ms; at--)
        *time_at(h, at) = *time_at(h, at - 1);
    *time_at(h, at) = time_ms;
    if (h->count >= THRESHOLD && !h->firing) {
        j->hosts += !h->fired;
        h->firing = h->fired = true;
        j->alerts++;
    }
}

/* Behind `text`, which begins after `from`. */
static const char *behind(const char *from, const char *end, const char *text, size_t len)
{
    const char *at = memmem(from, (size_t)(end - from), text, len);

    return at ? at + len : NULL;
}
#define BEHIND(from, end, text) behind(from, end, text, sizeof text - 1)

static void on_record(void *self, const char *data, size_t size)
{
    const char *end = data + size;
    const char *time, *name, *name_end, *severity;
    int64_t time_ms = 0;

    if (!(time = BEHIND(data, end, "\"time\":")) ||
        !(name = BEHIND(time, end, "\"host\":\"")) ||
        !(name_end = memchr(name, '"', (size_t)(end - name))) ||
        !(severity = BEHIND(name_end, end, "\"severity\":\"")) || end - severity < 6 ||
        memcmp(severity, "error\"", 6) != 0 || name_end - name >= HOST_BYTES)
        return;
    for (; *time >= '0' && *time <= '9'; time++)
        time_ms = time_ms * 10 + (*time - '0');
    count_error(self, find_host(self, name, (size_t)(name_end - name)), time_ms);
}

int main(int argc, char **argv)
{
    static job j;

    if (argc != 3) {
        fprintf(stderr, "usage: handwritten BROKERS TOPIC\n");
        return 2;
    }
    int64_t count = consume_topic(argv[1], argv[2], on_record, &j);
    if (count < 0)
        return 1;
    printf("{\"events\": %" PRId64 ", \"alerts\": %" PRId64 ", \"hosts\": %" PRId64 "}\n",
           count, j.alerts, j.hosts);
    return 0;
}
