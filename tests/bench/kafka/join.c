// SPDX-License-Identifier: Apache-2.0
/* join BROKERS TOPIC: scale-outs joined with the errors of the same service within 5 minutes after, and
 * nothing else, as somebody would write it who may count on the topic: fields are found by the text before
 * them, there is no parser, and an alert is a line in memory. Prints {"events": N, "pairs": N,
 * "alerts": N}, alerts being the scale-outs that had an error.
 *
 * Of each service the times of both kinds, sorted. Partitions are read unevenly and events are up to a second
 * out of order: a scale-out waits a minute longer than its span, an error a minute, by the newest time of
 * the service. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consume.h"

enum {
    WITHIN_MS = 300000,
    SLACK_MS = 60000,
    SLOTS = 1 << 12,
    ROOM = 512,
    NAME_BYTES = 48
};

typedef struct one {
    int64_t time_ms;
    bool told;
} one;

typedef struct ring {
    uint32_t head, count;
    one items[ROOM];
} ring;

typedef struct service {
    char name[NAME_BYTES];
    uint32_t name_len;
    int64_t newest_ms;
    ring scaled, errors;
} service;

typedef struct job {
    service *slots[SLOTS];
    int64_t pairs, alerts;
} job;

static service *find_service(job *j, const char *name, size_t len)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a */

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)name[i]) * 1099511628211u;
    for (size_t at = (hash ^ hash >> 32) % SLOTS;; at = (at + 1) % SLOTS) {
        service *s = j->slots[at];
        if (!s) {
            s = j->slots[at] = calloc(1, sizeof *s);
            memcpy(s->name, name, len);
            s->name_len = (uint32_t)len;
            return s;
        }
        if (s->name_len == len && memcmp(s->name, name, len) == 0)
            return s;
    }
}

static one *at(ring *r, uint32_t n)
{
    return &r->items[(r->head + n) % ROOM];
}

static void forget(ring *r, int64_t before_ms)
{
    while (r->count > 0 && (at(r, 0)->time_ms < before_ms || r->count == ROOM)) {
        r->head = (r->head + 1) % ROOM;
        r->count--;
    }
}

static void keep(ring *r, one item)
{
    uint32_t n = r->count++;

    for (; n > 0 && at(r, n - 1)->time_ms > item.time_ms; n--)
        *at(r, n) = *at(r, n - 1);
    *at(r, n) = item;
}

static void tell(job *j, one *scaled)
{
    j->pairs++;
    j->alerts += !scaled->told;
    scaled->told = true;
}

/* From the newest back: what is kept is little longer than what is in the span. */
static void on_scale_out(job *j, service *s, int64_t time_ms)
{
    one item = {.time_ms = time_ms};

    for (uint32_t n = s->errors.count; n > 0 && at(&s->errors, n - 1)->time_ms >= time_ms;
         n--)
        if (at(&s->errors, n - 1)->time_ms <= time_ms + WITHIN_MS)
            tell(j, &item);
    keep(&s->scaled, item);
}

static void on_error(job *j, service *s, int64_t time_ms)
{
    for (uint32_t n = 0; n < s->scaled.count && at(&s->scaled, n)->time_ms <= time_ms;
         n++)
        if (at(&s->scaled, n)->time_ms >= time_ms - WITHIN_MS)
            tell(j, at(&s->scaled, n));
    keep(&s->errors, (one){.time_ms = time_ms});
}

/* Behind `text`, which begins after `from`. */
static const char *behind(const char *from, const char *end, const char *text, size_t len)
{
    const char *found = memmem(from, (size_t)(end - from), text, len);

    return found ? found + len : NULL;
}
#define BEHIND(from, end, text) behind(from, end, text, sizeof text - 1)
#define BEGINS(from, end, text)                                                          \
    ((size_t)((end) - (from)) >= sizeof text - 1 &&                                      \
     memcmp(from, text, sizeof text - 1) == 0)

static void on_record(void *self, const char *data, size_t size)
{
    const char *end = data + size;
    const char *time, *type, *host, *name, *name_end, *severity, *retries;
    int64_t time_ms = 0;

    if (!(time = BEHIND(data, end, "\"time\":")) ||
        !(type = BEHIND(time, end, "\"type\":\"")) ||
        !(host = BEHIND(type, end, "\"host\":\"")) ||
        !(name = BEHIND(host, end, "\"service\":\"")) ||
        !(name_end = memchr(name, '"', (size_t)(end - name))) ||
        name_end - name >= NAME_BYTES ||
        !(severity = BEHIND(name_end, end, "\"severity\":\"")))
        return;
    bool is_error = BEGINS(severity, end, "error\"");
    bool is_scaled = BEGINS(type, end, "scale_out\"") && BEGINS(host, end, "web-000") &&
                     (retries = BEHIND(severity, end, "\"retries\":")) &&
                     BEGINS(retries, end, "3");
    if (!is_error && !is_scaled)
        return;
    for (; *time >= '0' && *time <= '9'; time++)
        time_ms = time_ms * 10 + (*time - '0');
    service *s = find_service(self, name, (size_t)(name_end - name));
    if (time_ms > s->newest_ms)
        s->newest_ms = time_ms;
    forget(&s->scaled, s->newest_ms - WITHIN_MS - SLACK_MS);
    forget(&s->errors, s->newest_ms - SLACK_MS);
    if (is_scaled)
        on_scale_out(self, s, time_ms);
    if (is_error)
        on_error(self, s, time_ms);
}

int main(int argc, char **argv)
{
    static job j;

    if (argc != 3) {
        fprintf(stderr, "usage: join BROKERS TOPIC\n");
        return 2;
    }
    int64_t count = consume_topic(argv[1], argv[2], on_record, &j);
    if (count < 0)
        return 1;
    printf("{\"events\": %" PRId64 ", \"pairs\": %" PRId64 ", \"alerts\": %" PRId64 "}\n",
           count, j.pairs, j.alerts);
    return 0;
}
