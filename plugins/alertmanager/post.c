// SPDX-License-Identifier: Apache-2.0
/* Sending; see post.h. A cluster member that hangs costs nothing but its own requests,
 * and of those only so many are open at a time. */
#include "alertmanager/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH "/api/v2/alerts"
#define MAX_OPEN 8 /* requests at one member */
#define KEPT_TEXT 512

typedef struct target {
    char *url;
    uint32_t open;
    bool failing;
} target;

struct post_targets {
    const tw_host *host;
    http_client *client;
    tw_metric *failures;
    target *targets;
    size_t count;
};

typedef struct round {
    post_targets *all;
    size_t alert_count, open;
    bool settled, of_content;
    int best_weight;
    tw_answer best;
    char best_text[KEPT_TEXT];
    post_settled tell;
    void *arg;
} round;

typedef struct request {
    round *round;
    target *target;
} request;

/* ---- life ---- */

static char *address_of(const char *url)
{
    size_t n = strlen(url), size = n + sizeof PATH;
    char *text = shared_alloc(size);

    while (n > 0 && url[n - 1] == '/')
        n--;
    snprintf(text, size, "%.*s" PATH, (int)n, url);
    return text;
}

static bool add_target(post_targets *p, const char *url, tw_refusal *refusal)
{
    if (!http_client_takes(p->client, url, refusal))
        return false;
    if (strpbrk(url, "?#")) {
        settings_refuse(refusal,
                        "%s: only where Alertmanager is, " PATH " is added to it", url);
        return false;
    }
    p->targets[p->count++].url = address_of(url);
    return true;
}

post_targets *post_targets_new(const tw_host *h, http_client *client, const json_t *urls,
                               tw_refusal *refusal)
{
    size_t count = json_is_array(urls) ? json_array_size(urls) : 1;
    post_targets *p = shared_alloc(sizeof *p);

    *p = (post_targets){.host = h, .client = client};
    p->targets = shared_alloc(sizeof *p->targets * count);
    p->failures = h->counter(h, "requests_failed_total",
                             "Requests that an Alertmanager did not take.");
    for (size_t i = 0; i < count; i++) {
        const json_t *url = json_is_array(urls) ? json_array_get(urls, i) : urls;
        if (!add_target(p, json_string_value(url), refusal))
            goto fail;
    }
    if (p->count > 0)
        return p;
    settings_refuse(refusal, "'urls' is empty");

fail:
    post_targets_free(p);
    return NULL;
}

void post_targets_free(post_targets *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        free(p->targets[i].url);
    free(p->targets);
    free(p);
}

/* ---- answers ---- */

/* 400 is said to the whole for the sake of one, and the others may have been stored all
 * the same: halving finds the one. */
static bool is_of_content(const http_response *r)
{
    return r->status == 400 || r->status == 413 || r->status == 422;
}

/* Of several answers the one that counts. A refusal of what was sent is worth more than a
 * member that is away: that one would say the same. */
static int weight(const tw_answer *a, bool of_content)
{
    if (a->answer == TW_ANSWER_DONE)
        return 5;
    if (of_content)
        return 4;
    return a->answer == TW_ANSWER_RETRY ? 3 : a->answer == TW_ANSWER_DROP ? 2 : 1;
}

/* Once when it begins and once when it ends; the outbox tells of deliveries itself. */
static void note(post_targets *p, target *t, bool fine, const char *why)
{
    char line[KEPT_TEXT + 256];

    if (!fine)
        p->host->add(p->failures, 1);
    if (t->failing == !fine)
        return;
    t->failing = !fine;
    if (fine)
        snprintf(line, sizeof line, "%s takes alerts again", t->url);
    else
        snprintf(line, sizeof line, "%s takes no alerts: %s", t->url, why);
    p->host->log(p->host, fine ? TW_PLUGIN_INFO : TW_PLUGIN_WARN, line);
}

static void settle(round *r)
{
    r->settled = true;
    r->best.text = r->best_text;
    r->tell(r->arg, &r->best, r->of_content);
}

static void count_answer(round *r, const target *t, const tw_answer *a, bool of_content)
{
    int w = weight(a, of_content);

    if (r->settled || w <= r->best_weight)
        return;
    r->best = *a;
    r->best_weight = w;
    r->of_content = of_content;
    snprintf(r->best_text, sizeof r->best_text, "%s: %s", t->url, a->text);
}

/* One is back (or was never sent). The last one ends the round. */
static void land(round *r)
{
    r->open--;
    if (!r->settled && (r->open == 0 || r->best.answer == TW_ANSWER_DONE))
        settle(r);
    if (r->open == 0)
        free(r);
}

static void on_answer(void *arg, const http_response *response)
{
    request *q = arg;
    round *r = q->round;
    char text[KEPT_TEXT / 2];
    tw_answer a = http_answer(response, text, sizeof text);
    bool of_content = is_of_content(response);

    if (of_content)
        a.answer = r->alert_count > 1 ? TW_ANSWER_SPLIT : TW_ANSWER_DROP;
    q->target->open--;
    note(r->all, q->target, a.answer == TW_ANSWER_DONE, text);
    count_answer(r, q->target, &a, of_content);
    free(q);
    land(r);
}

/* ---- requests ---- */

static void send_to(round *r, target *t, const char *body)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    post_targets *p = r->all;

    if (t->open == MAX_OPEN) {
        tw_answer busy = {.size = sizeof busy,
                          .answer = TW_ANSWER_RETRY,
                          .text = "earlier requests are not answered yet"};
        note(p, t, false, busy.text);
        count_answer(r, t, &busy, false);
        land(r);
        return;
    }
    request *q = shared_alloc(sizeof *q);
    *q = (request){.round = r, .target = t};
    t->open++;
    http_client_send(
        p->client,
        &(http_request){
            .url = t->url, .body = body, .body_size = strlen(body), .headers = headers},
        on_answer, q);
}

/* The round counts itself as open until all are under way: answers may come at once. */
void post_send(post_targets *p, const char *body, size_t count, post_settled settled,
               void *arg)
{
    round *r = shared_alloc(sizeof *r);

    *r = (round){.all = p,
                 .alert_count = count,
                 .open = p->count + 1,
                 .best = {.answer = TW_ANSWER_DISABLE},
                 .tell = settled,
                 .arg = arg};
    for (size_t i = 0; i < p->count; i++)
        send_to(r, &p->targets[i], body);
    land(r);
}
