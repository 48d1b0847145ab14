// SPDX-License-Identifier: Apache-2.0
/* Targets from the settings; see poller.h. Labels of the source are on everything, a target's own go
 * before them. Samples of a page carry `job` and `instance` too, as Prometheus adds them; what a query
 * gives has labels enough, so there only our own samples do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prometheus/memory.h"
#include "prometheus/poller.h"
#include "prometheus/query.h"

/* One entry of `targets` or `queries`, and where it goes. */
typedef struct entry {
    const json_t *node;  /* text, or an object with `labels` and `topic` */
    const char *name;    /* of a query; else NULL */
    const char *address; /* of a page, or of the server that is asked */
} entry;

static const char *const own_members[] = {"name",  "value",    "time",
                                          "error", "warnings", "query"};

/* ---- labels ------------------------------------------------------------------------ */

static bool merge_labels(json_t *to, const json_t *from, tw_refusal *refusal)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)from, name, value)
    {
        for (size_t i = 0; i < sizeof own_members / sizeof *own_members; i++) {
            if (strcmp(name, own_members[i]) != 0)
                continue;
            settings_refuse(refusal, "'%s' cannot be a label, an event has it already",
                            name);
            return false;
        }
        json_object_set(to, name, value);
    }
    return true;
}

/* `,"a":"1","b":"2"`, or nothing. */
static char *members_of(const json_t *labels)
{
    char *text = json_dumps(labels, JSON_COMPACT);

    if (!text)
        abort();
    size_t n = strlen(text);
    char *members = n > 2 ? xprintf(",%.*s", (int)n - 2, text + 1) : xstrdup("");
    free(text);
    return members;
}

static batch_labels labels_of(const json_t *labels)
{
    batch_labels out = {.json = members_of(labels),
                        .names = xalloc((json_object_size(labels) + 1) * sizeof(char *))};
    const char *name;
    json_t *value;
    size_t n = 0;

    json_object_foreach((json_t *)(uintptr_t)labels, name, value) out.names[n++] =
        xstrdup(name);
    return out;
}

/* host:port of an address. */
static json_t *instance_of(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    return json_stringn(host, strcspn(host, "/?#"));
}

/* fixed: what the source or the target say themselves, which goes first. */
static void set_labels(target *t, const json_t *fixed)
{
    json_t *own = json_object(), *all = json_object();

    json_object_set_new(own, "job", json_string(t->poller->host->name));
    json_object_set_new(own, "instance", instance_of(t->url));
    if (t->query) {
        json_object_set_new(own, "query", json_string(t->query));
        const char *name;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)fixed, name, value)
            json_object_del(own, name);
        t->labels = labels_of(fixed);
        t->own_labels = members_of(own);
    } else {
        json_object_update(all, own);
        json_object_update(all, (json_t *)(uintptr_t)fixed);
        t->labels = labels_of(all);
        t->own_labels = xstrdup("");
    }
    json_decref(own);
    json_decref(all);
}

/* ---- one target -------------------------------------------------------------------- */

static const char *scheme_of(const char *address)
{
    return strstr(address, "://") ? "" : "http://";
}

/* host:port means http://host:port/metrics, as in a file of Prometheus. */
static char *page_url(const char *address)
{
    const char *scheme = scheme_of(address);
    return xprintf("%s%s%s", scheme, address,
                   *scheme && !strchr(address, '/') ? "/metrics" : "");
}

static char *query_url(const char *server)
{
    size_t n = strlen(server);

    while (n > 0 && server[n - 1] == '/')
        n--;
    return xprintf("%s%.*s/api/v1/query", scheme_of(server), (int)n, server);
}

static bool check_url(const poller *p, const char *url, tw_refusal *refusal)
{
    if (!http_client_takes(p->client, url, refusal))
        return false;
    const char *host = strstr(url, "://") + 3;
    if (!memchr(host, '@', strcspn(host, "/?#")))
        return true;
    settings_refuse(refusal, "an address with a password in it would show up in labels "
                             "and logs; 'basic_auth' takes user and password");
    return false;
}

static bool pick_topic(target *t, const char *topic, const char *const *topics,
                       size_t count, tw_refusal *refusal)
{
    if (!topic && count == 1)
        topic = topics[0];
    for (size_t i = 0; topic && i < count; i++) {
        if (strcmp(topics[i], topic) != 0)
            continue;
        t->topic = xstrdup(topic);
        return true;
    }
    if (topic)
        settings_refuse(refusal, "%s: no stream reads the topic '%s'", t->what, topic);
    else
        settings_refuse(refusal,
                        "%s: streams read %zu topics of this source, so it needs a "
                        "'topic'",
                        t->what, count);
    return false;
}

static bool is_new(const poller *p, const target *t, tw_refusal *refusal)
{
    for (size_t i = 0; i < p->target_count; i++) {
        const target *other = &p->targets[i];
        if (other == t || strcmp(other->what, t->what) != 0)
            continue;
        settings_refuse(refusal, "%s is listed twice", t->what);
        return false;
    }
    return true;
}

static bool add_target(poller *p, const entry *e, const json_t *source_labels,
                       const char *const *topics, size_t topic_count, tw_refusal *refusal)
{
    target *t = &p->targets[p->target_count];
    const char *expression = json_is_string(e->node) ? json_string_value(e->node)
                                                     : settings_text(e->node, "query");
    json_t *labels = json_object();

    t->poller = p;
    t->partition = (int32_t)p->target_count++;
    queue_init(&t->queue);
    t->query = xstrdup(e->name);
    t->url = e->name ? query_url(e->address) : page_url(e->address);
    t->what = e->name ? xprintf("query %s", e->name) : xstrdup(t->url);
    bool fine =
        merge_labels(labels, source_labels, refusal) &&
        merge_labels(labels, json_object_get(e->node, "labels"), refusal) &&
        check_url(p, t->url, refusal) && is_new(p, t, refusal) &&
        pick_topic(t, settings_text(e->node, "topic"), topics, topic_count, refusal);
    if (fine)
        set_labels(t, labels);
    if (fine && e->name)
        t->form = query_form(expression, p->timeout_ms * 9 / 10, p->limits.samples);
    json_decref(labels);
    return fine;
}

/* ---- all of them ------------------------------------------------------------------- */

static bool check_entry(const entry *e, tw_refusal *refusal)
{
    const char *text = json_is_string(e->node)
                           ? json_string_value(e->node)
                           : settings_text(e->node, e->name ? "query" : "url");

    if (text && *text && (!e->name || *e->name))
        return true;
    if (e->name)
        settings_refuse(refusal, "the query '%s' has no name or no 'query'", e->name);
    else
        settings_refuse(refusal, "a target has no 'url'");
    return false;
}

static bool read_pages(poller *p, const json_t *settings, const char *const *topics,
                       size_t topic_count, tw_refusal *refusal)
{
    const json_t *pages = json_object_get(settings, "targets");

    for (size_t i = 0; i < json_array_size(pages); i++) {
        entry e = {.node = json_array_get(pages, i)};
        e.address = json_is_string(e.node) ? json_string_value(e.node)
                                           : settings_text(e.node, "url");
        if (!check_entry(&e, refusal) ||
            !add_target(p, &e, json_object_get(settings, "labels"), topics, topic_count,
                        refusal))
            return false;
    }
    return true;
}

static bool read_queries(poller *p, const json_t *settings, const char *const *topics,
                         size_t topic_count, tw_refusal *refusal)
{
    json_t *queries = json_object_get(settings, "queries");
    const char *server = settings_text(settings, "server"), *name;
    json_t *node;

    if (json_object_size(queries) > 0 && !server) {
        settings_refuse(refusal, "'queries' needs a 'server' to ask");
        return false;
    }
    json_object_foreach(queries, name, node)
    {
        entry e = {.node = node, .name = name, .address = server};
        if (!check_entry(&e, refusal) ||
            !add_target(p, &e, json_object_get(settings, "labels"), topics, topic_count,
                        refusal))
            return false;
    }
    return true;
}

static bool every_topic_is_fed(const poller *p, const char *const *topics, size_t count,
                               tw_refusal *refusal)
{
    for (size_t i = 0; i < count; i++) {
        bool fed = false;
        for (size_t k = 0; k < p->target_count && !fed; k++)
            fed = strcmp(p->targets[k].topic, topics[i]) == 0;
        if (fed)
            continue;
        settings_refuse(refusal, "nothing is polled for the topic '%s'", topics[i]);
        return false;
    }
    return true;
}

bool targets_read(poller *p, const json_t *settings, const char *const *topics,
                  size_t topic_count, tw_refusal *refusal)
{
    size_t count = json_array_size(json_object_get(settings, "targets")) +
                   json_object_size(json_object_get(settings, "queries"));

    if (count == 0) {
        settings_refuse(refusal, "there is nothing to poll: neither 'targets' nor "
                                 "'queries'");
        return false;
    }
    p->targets = xalloc(count * sizeof *p->targets);
    return read_pages(p, settings, topics, topic_count, refusal) &&
           read_queries(p, settings, topics, topic_count, refusal) &&
           every_topic_is_fed(p, topics, topic_count, refusal);
}

void targets_free(poller *p)
{
    for (size_t i = 0; i < p->target_count; i++) {
        target *t = &p->targets[i];
        queue_done(&t->queue);
        for (char **name = t->labels.names; name && *name; name++)
            free(*name);
        free(t->labels.names);
        free(t->labels.json);
        free(t->own_labels);
        free(t->topic);
        free(t->what);
        free(t->error);
        free(t->url);
        free(t->form);
        free(t->query);
    }
    free(p->targets);
}
