// SPDX-License-Identifier: Apache-2.0
/* One target's polls: asking on the grid, reading what comes, and saying how it went; see poller.h. A
 * poll counts as failed as a whole: half a page is no page. Shore. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prometheus/memory.h"
#include "prometheus/poller.h"
#include "prometheus/query.h"
#include "prometheus/schedule.h"

#define ACCEPT                                                                           \
    "Accept: application/openmetrics-text;version=1.0.0;charset=utf-8;q=0.8,"            \
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

/* What a poll came to. */
typedef struct outcome {
    uint32_t samples; /* NaN included */
    char *extra;      /* what all samples of ours say too */
    char error[320];  /* empty: fine */
} outcome;

/* ---- reading ----------------------------------------------------------------------- */

static void read_page(target *t, const http_response *r, batch *b, outcome *out)
{
    char *text = xalloc(r->body_size); /* the reader writes into it */
    text_reader reader;
    text_sample s;
    int rc;

    memcpy(text, r->body, r->body_size);
    text_reader_init(&reader, text_format_of(r->content_type), text, r->body_size,
                     &t->poller->limits);
    while ((rc = text_reader_next(&reader, &s)) > 0)
        batch_add(b, &s, NULL);
    out->samples = reader.samples;
    if (rc < 0)
        snprintf(out->error, sizeof out->error, "line %d, column %d: %s",
                 reader.error.line, reader.error.column, reader.error.text);
    free(text);
}

static void read_result(target *t, const http_response *r, batch *b, outcome *out)
{
    query_result q;

    if (query_read(r->body, r->body_size, t->query, &t->poller->limits, b, &q) &&
        r->status != 200)
        snprintf(q.error, sizeof q.error, "an answer, but with an error status");
    out->samples = q.samples;
    out->extra = q.extra;
    if (!q.error[0])
        return;
    if (r->status == 200)
        snprintf(out->error, sizeof out->error, "%s", q.error);
    else
        snprintf(out->error, sizeof out->error, "%d: %s", r->status, q.error);
}

static void read_response(target *t, const http_response *r, batch *b, outcome *out)
{
    if (r->status != 0 && r->cut)
        snprintf(out->error, sizeof out->error, "the answer has more than %lld bytes",
                 (long long)t->poller->max_body);
    else if (r->status == 0 || (r->status != 200 && !t->query))
        http_answer(r, out->error, sizeof out->error);
    else if (t->query)
        read_result(t, r, b, out);
    else
        read_page(t, r, b, out);
}

/* ---- telling ----------------------------------------------------------------------- */

static void add_own_samples(const target *t, batch *b, const outcome *o, int64_t now_ms)
{
    int64_t took_ms = now_ms - t->began_ms; /* below 0 when the clock was set back */
    char *quoted = json_quote(o->error);
    char *plain = xprintf("%s%s", t->own_labels, o->extra ? o->extra : "");
    char *up = *o->error ? xprintf("%s,\"error\":%s", plain, quoted) : xstrdup(plain);

    batch_add_own(b, "up", *o->error ? 0 : 1, up);
    batch_add_own(b, "scrape_duration_seconds", took_ms > 0 ? (double)took_ms / 1000 : 0,
                  plain);
    batch_add_own(b, "scrape_samples_scraped", o->samples, plain);
    free(quoted);
    free(plain);
    free(up);
}

/* Who cannot be polled is the source's trouble, which the host logs when it changes. The target that
 * went down last is named, since of the others it was said. */
static void tell_trouble(const poller *p, const target *last)
{
    const target *named = last->error ? last : NULL;
    size_t down = 0;

    for (size_t i = 0; i < p->target_count; i++) {
        down += p->targets[i].error != NULL;
        if (!named && p->targets[i].error)
            named = &p->targets[i];
    }
    char *rest = down > 1
                     ? xprintf(", nor can %zu more of %zu", down - 1, p->target_count)
                     : xstrdup("");
    char *text =
        named ? xprintf("%s cannot be polled: %s%s", named->what, named->error, rest)
              : NULL;
    p->host->trouble(p->host, text);
    free(text);
    free(rest);
}

static void note_up(const target *t)
{
    char *line = xprintf("%s is polled", t->what);

    t->poller->host->log(t->poller->host, TW_PLUGIN_INFO, line);
    free(line);
}

/* A change of health is a line in the log; every poll of a broken target is not. */
static void note_health(target *t, const outcome *o)
{
    poller *p = t->poller;
    target_health now = *o->error ? HEALTH_DOWN : HEALTH_UP;

    if (now == t->health)
        return;
    free(t->error);
    t->error = now == HEALTH_DOWN ? xstrdup(o->error) : NULL;
    if (now == HEALTH_UP) {
        note_up(t);
        p->up_count++;
    } else if (t->health == HEALTH_UP) {
        p->up_count--;
    }
    t->health = now;
    p->host->set(p->up, (int64_t)p->up_count);
    tell_trouble(p, t);
}

static void count(const poller *p, const batch *b, const outcome *o)
{
    const tw_host *h = p->host;

    h->add(p->polls, 1);
    h->add(p->failures, *o->error ? 1 : 0);
    h->add(p->samples, b->samples);
    h->add(p->not_numbers, b->not_numbers);
    h->add(p->restamped, b->restamped);
}

static void hand_over(target *t, frame *list)
{
    const tw_host *h = t->poller->host;
    uint64_t one = 1;

    for (frame *f = list; f; f = f->next)
        f->offset = t->next_offset++;
    queue_push(&t->queue, list);
    int fd = h->feed_wake_fd(h, &t->feed);
    if (fd >= 0 && write(fd, &one, sizeof one) < 0 && errno != EAGAIN)
        h->log(h, TW_PLUGIN_ERROR, "cannot wake the lane");
}

static void on_response(void *arg, const http_response *r)
{
    target *t = arg;
    poller *p = t->poller;
    outcome o = {0};
    batch b;

    t->asking = false;
    if (p->stopping)
        return;
    batch_begin(&b, &t->labels, t->began_ms);
    read_response(t, r, &b, &o);
    if (*o.error) {
        batch_drop(&b);
        o.samples = 0;
    }
    add_own_samples(t, &b, &o, p->host->now_ms(p->host));
    note_health(t, &o);
    count(p, &b, &o);
    hand_over(t, batch_take(&b));
    free(o.extra);
}

/* ---- asking ------------------------------------------------------------------------ */

static void ask(target *t)
{
    poller *p = t->poller;
    char patience[96];
    const char *of_page[] = {ACCEPT, patience, NULL};
    const char *of_query[] = {"Content-Type: application/x-www-form-urlencoded", NULL};

    snprintf(patience, sizeof patience, "X-Prometheus-Scrape-Timeout-Seconds: %g",
             (double)p->timeout_ms / 1000);
    t->asking = true;
    http_client_send(p->client,
                     &(http_request){.method = t->form ? NULL : "GET",
                                     .url = t->url,
                                     .body = t->form,
                                     .body_size = t->form ? strlen(t->form) : 0,
                                     .headers = t->form ? of_query : of_page,
                                     .compressed = true},
                     on_response, t);
}

/* Timers may fire a little early; the grid decides which tick it is. Ticks that went by unseen
 * are skipped ones. A clock that was set back begins the grid anew. */
static void on_due(void *arg)
{
    target *t = arg;
    poller *p = t->poller;
    const tw_host *h = p->host;
    int64_t now_ms = h->now_ms(h), late_ms = now_ms - t->due_ms;
    bool early = late_ms < 0 && late_ms > -p->interval_ms / 2;
    uint64_t skipped = late_ms > 0 ? (uint64_t)(late_ms / p->interval_ms) : 0;

    t->due_ms =
        schedule_next_ms(early ? t->due_ms : now_ms, p->interval_ms, t->offset_ms);
    h->watch_timer_again(t->timer, t->due_ms - now_ms, 0);
    if (t->asking || !queue_is_empty(&t->queue)) {
        skipped++;
    } else {
        t->began_ms = now_ms;
        ask(t);
    }
    h->add(p->skipped, skipped);
}

void poll_start(target *t)
{
    poller *p = t->poller;
    int64_t now_ms = p->host->now_ms(p->host);

    t->offset_ms = schedule_offset_ms(t->what, p->interval_ms);
    t->due_ms = schedule_next_ms(now_ms, p->interval_ms, t->offset_ms);
    t->timer = p->host->watch_timer(p->host, t->due_ms - now_ms, 0, on_due, t);
}

void poll_stop(target *t)
{
    if (t->timer)
        t->poller->host->watch_end(t->timer);
    t->timer = NULL;
}
