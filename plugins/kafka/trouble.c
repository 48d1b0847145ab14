// SPDX-License-Identifier: Apache-2.0
/* What goes wrong with a Kafka source and how it is told: librdkafka's errors and log
 * lines come in here, one sentence for /-/ready goes out, once for
 * each change. Shore; trouble_on_log any thread. */
#include "source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOPICS_AGAIN_MS = 10000, METADATA_MS = 5000 };

static const char no_broker[] = "no broker of ";

/* ---- telling the host -------------------------------------------------------------- */

void source_fail(source *s, int exit_code, const char *format, ...)
{
    char why[400];
    va_list args;

    if (s->failed)
        return;
    s->failed = true;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    s->h->failed(s->h, why, exit_code);
}

static size_t append_missing_topics(const source *s, char *text, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < s->topic_count && at < size; i++)
        if (s->topic_missing[i])
            at += (size_t)snprintf(text + at, size - at, "%s%s", at ? ", " : "",
                                   s->topics[i]);
    return at;
}

static void find_trouble(const source *s, char *text, size_t size)
{
    char missing[256];

    *text = '\0';
    if (s->brokers_up == 0 && strncmp(s->trouble, no_broker, strlen(no_broker)) == 0)
        snprintf(text, size, "%s", s->trouble); /* only the reason would differ */
    else if (s->brokers_up == 0)
        snprintf(text, size, "%s%s can be reached%s%s; waiting", no_broker,
                 s->settings.brokers, *s->broker_error ? ": " : "", s->broker_error);
    else if (append_missing_topics(s, missing, sizeof missing) > 0)
        snprintf(text, size, "topic %s does not exist or may not be read; waiting",
                 missing);
    else if (*s->start_error)
        snprintf(text, size, "cannot find the position to start at: %s; trying again",
                 s->start_error);
    else if (!s->was_assigned || s->is_lost)
        snprintf(text, size, "joining group %s%s", s->settings.group,
                 s->is_lost ? " again, the brokers had given its partitions away" : "");
}

/* Told once for each change; the host logs it. */
void source_tell_trouble(source *s)
{
    char text[sizeof s->trouble];

    if (s->stopping || s->failed)
        return;
    find_trouble(s, text, sizeof text);
    if (strcmp(text, s->trouble) == 0)
        return;
    if (!*text)
        s->last_error = RD_KAFKA_RESP_ERR_NO_ERROR;
    memcpy(s->trouble, text, sizeof text);
    s->h->trouble(s->h, *text ? text : NULL);
}

/* Partitions that go to another member are the usual sign of a second engine with the same
 * group, which nobody may have meant; whoever gave the group a name has meant it. */
void source_tell_share(source *s, int given)
{
    static const char advice[] = "an engine that is to read all has a 'group' of its own";
    const char *group = s->settings.group;
    tw_plugin_log_level level =
        s->settings.group_is_ours ? TW_PLUGIN_WARN : TW_PLUGIN_INFO;
    bool all_there = true;
    int share = given;

    for (const feed *f = s->feeds; f; f = f->next_feed)
        share++;
    for (size_t i = 0; i < s->topic_count; i++)
        all_there = all_there && !s->topic_missing[i];
    if (share > 0 && share < s->share)
        kafka_log(s->h, level,
                  "%d partitions instead of %d: other members of group %s read the rest; "
                  "%s",
                  share, s->share, group, advice);
    else if (share == 0 && all_there)
        kafka_log(s->h, level,
                  "no partitions: other members of group %s read them all; %s", group,
                  advice);
    s->share = share;
}

/* ---- what librdkafka says ---------------------------------------------------------- */

void trouble_on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    source *s = opaque;
    rd_kafka_resp_err_t err = (rd_kafka_resp_err_t)code;
    char text[256];

    if (err == RD_KAFKA_RESP_ERR__FATAL) {
        err = rd_kafka_fatal_error(rk, text, sizeof text);
        source_fail(s,
                    err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID ? KAFKA_EXIT_FENCED
                                                                : KAFKA_EXIT_FATAL,
                    "%s%s",
                    err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
                        ? "another member has the same instance_id: "
                        : "",
                    text);
        return;
    }
    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        s->brokers_up = 0;
        source_tell_trouble(s);
        return;
    }
    snprintf(s->broker_error, sizeof s->broker_error, "%s", reason);
    if (err == RD_KAFKA_RESP_ERR__TRANSPORT || err == s->last_error)
        return; /* one broker of several: ALL_BROKERS_DOWN is the trouble */
    s->last_error = err;
    kafka_log(s->h, TW_PLUGIN_WARN, "%s", reason);
}

void trouble_on_log(const rd_kafka_t *rk, int level, const char *facility,
                    const char *text)
{
    source *s = rd_kafka_opaque(rk);

    voice_say(&s->voice, level, facility, text);
}

static void on_topic_error(source *s, const char *topic, const rd_kafka_message_t *m)
{
    for (size_t i = 0; i < s->topic_count; i++) {
        if (strcmp(s->topics[i], topic) != 0 || s->topic_missing[i])
            continue;
        s->topic_missing[i] = true;
        if (m->err != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
            s->topic_is_new[i] = true;
        s->topics_again_ms = s->h->now_ms(s->h) + TOPICS_AGAIN_MS;
        kafka_log(s->h, TW_PLUGIN_DEBUG, "topic %s: %s", topic, rd_kafka_err2str(m->err));
    }
    source_tell_trouble(s);
}

void trouble_serve_queue(source *s)
{
    rd_kafka_message_t *m;

    while ((m = rd_kafka_consumer_poll(s->rk, 0))) {
        const char *topic = m->rkt ? rd_kafka_topic_name(m->rkt) : NULL;

        if (topic && (m->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                      m->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                      m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED))
            on_topic_error(s, topic, m);
        else if (m->err == RD_KAFKA_RESP_ERR__FATAL)
            trouble_on_error(s->rk, m->err, rd_kafka_message_errstr(m), s);
        else if (m->err && m->err != s->last_error)
            kafka_log(s->h, TW_PLUGIN_WARN, "%s", rd_kafka_message_errstr(m));
        if (m->err)
            s->last_error = m->err;
        rd_kafka_message_destroy(m);
    }
}

/* ---- topics that were missing ------------------------------------------------------ */

typedef struct topics_errand {
    errand base; /* first */
    source *src;
    size_t topic;
    bool exists;
} topics_errand;

static void run_topics_errand(errand *base, rd_kafka_t *rk)
{
    topics_errand *e = (topics_errand *)base;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, e->src->topics[e->topic], NULL);
    const struct rd_kafka_metadata *md = NULL;

    if (topic &&
        rd_kafka_metadata(rk, 0, topic, &md, METADATA_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        e->exists = md->topic_cnt > 0 && md->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_metadata_destroy(md);
    if (topic)
        rd_kafka_topic_destroy(topic);
}

static void on_topics(void *arg)
{
    topics_errand *e = arg;

    if (e->exists) {
        e->src->topic_missing[e->topic] = false;
        source_tell_trouble(e->src);
    }
    free(e);
}

void trouble_ask_topics(source *s)
{
    int64_t now_ms = s->h->now_ms(s->h);

    if (now_ms < s->topics_again_ms)
        return;
    s->topics_again_ms = now_ms + TOPICS_AGAIN_MS;
    for (size_t i = 0; i < s->topic_count; i++) {
        if (s->topic_missing[i]) {
            topics_errand *e = kafka_alloc(sizeof *e);
            *e = (topics_errand){{NULL, run_topics_errand, on_topics}, s, i, false};
            errands_put(s->errands, &e->base);
        }
    }
}
