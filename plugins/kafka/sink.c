// SPDX-License-Identifier: Apache-2.0
/* A Kafka sink: an idempotent producer. Shore, but for librdkafka's log lines.
 *
 * A delivery is a job until librdkafka has reported each of its records; only then is it
 * answered, because the records are not copied. After a fatal error of the producer
 * everything open is answered with "again" and a new producer takes its place. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "embedded.h"
#include "errand.h"
#include "message.h"
#include "sink.h"
#include "stats.h"
#include "voice.h"

enum { TICK_MS = 100, PATIENCE_MS = 2000, GUARD_MS = 5000, AGAIN_MS = 200 };

typedef enum sink_phase {
    PHASE_RUNNING,
    PHASE_EMPTYING,   /* no new deliveries; open ones are being reported */
    PHASE_DESTROYING, /* the helper thread ends the client */
    PHASE_GONE
} sink_phase;

typedef struct sink sink;
typedef struct job job;

/* One record of a job: librdkafka's opaque. */
typedef struct slot {
    job *job;
    message_fate fate;
} slot;

struct job {
    sink *sink;
    tw_delivery *delivery;
    job *next, **at;
    size_t open;             /* records not reported yet */
    rd_kafka_resp_err_t err; /* the last that was not "taken" */
    slot slots[];
};

struct sink {
    const tw_host *h;
    sink_settings settings;
    rd_kafka_conf_t *conf; /* kept: each producer gets a copy */
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    errands *errands; /* while destroying */
    int wake_fd;
    tw_watch *wake_watch, *tick_watch, *guard_watch;
    job *jobs;
    sink_phase phase;
    bool stopping, brokers_open, abandoned;
    int64_t purge_at_ms;
    rd_kafka_resp_err_t last_error;
    bool is_down, is_topic_missing;
    char trouble[256];
    voice voice;
    tw_metric *messages, *failures, *rebuilds;
};

/* ---- jobs -------------------------------------------------------------------------- */

static void answer(job *j, tw_answer_class class, const uint8_t *retry)
{
    tw_answer a = {.size = sizeof a,
                   .answer = class,
                   .retry = retry,
                   .text = rd_kafka_err2str(j->err)};

    j->sink->h->done(j->sink->h, j->delivery, &a);
}

/* A refused record among others is sent once more, alone with its like: then the whole
 * delivery is refused, and the host drops just these. */
static void answer_by_fates(job *j)
{
    size_t count = j->delivery->count, taken = 0, refused = 0;
    uint8_t *retry = kafka_alloc(count);

    for (size_t i = 0; i < count; i++) {
        taken += j->slots[i].fate == FATE_TAKEN;
        refused += j->slots[i].fate == FATE_REFUSED;
        retry[i] = j->slots[i].fate != FATE_TAKEN;
    }
    if (taken == count)
        answer(j, TW_ANSWER_DONE, NULL);
    else if (refused == count)
        answer(j, TW_ANSWER_DROP, NULL);
    else if (taken == 0)
        answer(j, TW_ANSWER_RETRY, NULL);
    else
        answer(j, TW_ANSWER_RETRY_PART, retry);
    free(retry);
}

static void end_job(job *j)
{
    *j->at = j->next;
    if (j->next)
        j->next->at = j->at;
    answer_by_fates(j);
    free(j);
}

static void settle(slot *one, rd_kafka_resp_err_t err)
{
    job *j = one->job;

    one->fate = message_fate_of(err);
    if (err)
        j->err = err;
    j->sink->h->add(err ? j->sink->failures : j->sink->messages, 1);
    j->open--;
}

static job *new_job(sink *s, tw_delivery *d)
{
    job *j = kafka_alloc(sizeof *j + d->count * sizeof *j->slots);

    j->sink = s;
    j->delivery = d;
    j->open = d->count + 1; /* one more until all are handed over */
    j->next = s->jobs;
    j->at = &s->jobs;
    if (j->next)
        j->next->at = &j->next;
    s->jobs = j;
    return j;
}

static void sink_deliver(void *instance, tw_delivery *d)
{
    sink *s = instance;
    job *j;

    if (s->phase != PHASE_RUNNING) {
        tw_answer later = {.size = sizeof later,
                           .answer = TW_ANSWER_RETRY,
                           .retry_after_ms = AGAIN_MS,
                           .text = "the producer is being replaced"};
        s->h->done(s->h, d, &later);
        return;
    }
    j = new_job(s, d);
    for (size_t i = 0; i < d->count; i++) {
        rd_kafka_resp_err_t err;

        j->slots[i].job = j;
        err = message_produce(s->rk, s->topic, &s->settings, d->records[i], &j->slots[i]);
        if (err)
            settle(&j->slots[i], err);
    }
    if (--j->open == 0)
        end_job(j);
}

/* ---- trouble ----------------------------------------------------------------------- */

static void tell_trouble(sink *s)
{
    char text[sizeof s->trouble] = "";

    if (s->is_down)
        snprintf(text, sizeof text, "no broker of %s can be reached; waiting",
                 s->settings.brokers);
    else if (s->is_topic_missing)
        snprintf(text, sizeof text, "topic %s does not exist; waiting",
                 s->settings.topic);
    if (s->stopping || strcmp(text, s->trouble) == 0)
        return;
    memcpy(s->trouble, text, sizeof text);
    if (!*text)
        s->last_error = RD_KAFKA_RESP_ERR_NO_ERROR;
    s->h->trouble(s->h, *text ? text : NULL);
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    sink *s = opaque;
    slot *one = m->_private;
    job *j = one->job;

    (void)rk;
    settle(one, m->err);
    s->is_topic_missing = m->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                          m->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (!m->err)
        s->is_down = false;
    tell_trouble(s);
    if (j->open == 0)
        end_job(j);
}

static int on_stats(rd_kafka_t *rk, char *json, size_t size, void *opaque)
{
    sink *s = opaque;

    (void)rk;
    if (s->is_down && stats_brokers_up(json, size) > 0) {
        s->is_down = false;
        tell_trouble(s);
    }
    return 0;
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    sink *s = opaque;
    rd_kafka_resp_err_t err = (rd_kafka_resp_err_t)code;
    char text[256];

    if (err == RD_KAFKA_RESP_ERR__FATAL && s->phase == PHASE_RUNNING) {
        rd_kafka_fatal_error(rk, text, sizeof text);
        kafka_log(s->h, TW_PLUGIN_ERROR, "%s; a new producer takes over", text);
        s->h->add(s->rebuilds, 1);
        s->phase = PHASE_EMPTYING;
        s->purge_at_ms = 0;
    } else if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        s->is_down = true;
        tell_trouble(s);
    } else if (err != RD_KAFKA_RESP_ERR__TRANSPORT && err != s->last_error) {
        s->last_error = err;
        kafka_log(s->h, TW_PLUGIN_WARN, "%s", reason);
    }
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *text)
{
    sink *s = rd_kafka_opaque(rk);

    voice_say(&s->voice, level, facility, text);
}

/* ---- the client's life ------------------------------------------------------------- */

static int create_client(sink *s, tw_refusal *refusal)
{
    static const uint64_t one = 1;
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(s->conf);
    rd_kafka_queue_t *queue;
    char why[400];

    rd_kafka_conf_set_opaque(conf, s);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_stats);
    rd_kafka_conf_set_log_cb(conf, on_log);
    s->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!s->rk) {
        rd_kafka_conf_destroy(conf);
        kafka_refuse(refusal, "%s", why);
        return -1;
    }
    /* Asks for the topic's leaders now, so that the first record does not wait for it. */
    s->topic = rd_kafka_topic_new(s->rk, s->settings.topic, NULL);
    queue = rd_kafka_queue_get_main(s->rk);
    rd_kafka_queue_io_event_enable(queue, s->wake_fd, &one, sizeof one);
    rd_kafka_queue_destroy(queue);
    s->phase = PHASE_RUNNING;
    return 0;
}

typedef struct end_errand {
    errand base; /* first */
    sink *sink;
} end_errand;

static void run_end_errand(errand *base, rd_kafka_t *rk)
{
    (void)base;
    rd_kafka_destroy(rk);
}

static void end_watches(sink *s)
{
    tw_watch **watches[] = {&s->wake_watch, &s->tick_watch, &s->guard_watch};

    for (size_t i = 0; i < sizeof watches / sizeof *watches; i++) {
        if (*watches[i])
            s->h->watch_end(*watches[i]);
        *watches[i] = NULL;
    }
}

static void on_ended(void *arg)
{
    end_errand *e = arg;
    sink *s = e->sink;
    tw_refusal refusal = {.size = sizeof refusal};

    free(e);
    errands_free(s->errands);
    s->errands = NULL;
    s->rk = NULL;
    s->phase = PHASE_GONE;
    if (s->stopping) {
        end_watches(s);
        s->h->stopped(s->h);
    } else if (create_client(s, &refusal) < 0) {
        s->h->failed(s->h, refusal.text, 70);
    }
}

static void destroy_client(sink *s)
{
    end_errand *e = kafka_alloc(sizeof *e);

    s->phase = PHASE_DESTROYING;
    if (s->topic)
        rd_kafka_topic_destroy(s->topic);
    s->topic = NULL;
    s->errands = errands_new(s->h, s->rk);
    *e = (end_errand){{NULL, run_end_errand, on_ended}, s};
    if (s->errands) {
        errands_end(s->errands, &e->base);
        return;
    }
    rd_kafka_destroy(s->rk); /* no thread to be had: then here */
    on_ended(e);
}

static void serve(sink *s)
{
    int64_t now_ms = s->h->now_ms(s->h);

    if (s->phase != PHASE_RUNNING && s->phase != PHASE_EMPTYING)
        return;
    rd_kafka_poll(s->rk, 0);
    if (s->phase == PHASE_EMPTYING && s->jobs && now_ms >= s->purge_at_ms) {
        rd_kafka_purge(s->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                  RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_poll(s->rk, 0);
    }
    if (s->phase == PHASE_EMPTYING && !s->jobs)
        destroy_client(s);
}

static void on_wake(void *arg, int fd, int events)
{
    uint64_t count;

    (void)events;
    if (read(fd, &count, sizeof count) == (ssize_t)sizeof count)
        serve(arg);
}

static void on_tick(void *arg)
{
    serve(arg);
}

/* ---- the contract ------------------------------------------------------------------ */

static void sink_close(void *instance)
{
    sink *s = instance;

    if (s->abandoned) /* its thread may still use it */
        return;
    if (s->topic)
        rd_kafka_topic_destroy(s->topic);
    if (s->rk) /* never stopped, because it did not start */
        rd_kafka_destroy(s->rk);
    if (s->conf)
        rd_kafka_conf_destroy(s->conf);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    if (s->brokers_open)
        embedded_close();
    sink_settings_done(&s->settings);
    voice_done(&s->voice);
    free(s);
}

static void *sink_open(const tw_host *h, tw_refusal *refusal)
{
    sink *s = kafka_alloc(sizeof *s);

    s->h = h;
    voice_init(&s->voice, h);
    s->wake_fd = -1;
    s->phase = PHASE_GONE;
    s->conf = sink_settings_read(&s->settings, h, refusal);
    if (!s->conf) {
        sink_close(s);
        return NULL;
    }
    s->messages = h->counter(h, "produced_total", "Messages that Kafka has taken.");
    s->failures =
        h->counter(h, "produce_failures_total", "Messages that Kafka has not taken.");
    s->rebuilds = h->counter(h, "rebuilds_total",
                             "Producers given up after a fatal "
                             "error.");
    return s;
}

static int use_embedded(sink *s, tw_refusal *refusal)
{
    char why[256];
    const char *topics[] = {s->settings.topic};
    const char *address = embedded_open(topics, 1);

    s->brokers_open = address != NULL;
    if (address && rd_kafka_conf_set(s->conf, "bootstrap.servers", address, why,
                                     sizeof why) == RD_KAFKA_CONF_OK) {
        if (s->h->state_dir && embedded_tell(s->h->state_dir) < 0)
            kafka_log(s->h, TW_PLUGIN_WARN, "%s: its embedded-broker cannot be written",
                      s->h->state_dir);
        return 0;
    }
    kafka_refuse(refusal, "the embedded broker cannot be started");
    return -1;
}

static int sink_start(void *instance, tw_refusal *refusal)
{
    sink *s = instance;

    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->wake_fd < 0) {
        kafka_refuse(refusal, "eventfd: %s", strerror(errno));
        return -1;
    }
    if ((s->settings.embedded && use_embedded(s, refusal) < 0) ||
        create_client(s, refusal) < 0)
        return -1;
    s->wake_watch = s->h->watch_fd(s->h, s->wake_fd, TW_WATCH_READ, on_wake, s);
    s->tick_watch = s->h->watch_timer(s->h, TICK_MS, TICK_MS, on_tick, s);
    return 0;
}

/* librdkafka does not close in time: what is open is answered, the rest left to it. */
static void on_guard_due(void *arg)
{
    sink *s = arg;

    kafka_log(s->h, TW_PLUGIN_WARN, "librdkafka does not close within %d ms, leaving it",
              GUARD_MS);
    s->abandoned = true;
    end_watches(s);
    for (job *j = s->jobs; j; j = j->next) {
        j->err = RD_KAFKA_RESP_ERR__TIMED_OUT;
        answer(j, TW_ANSWER_RETRY, NULL);
    }
    if (s->errands)
        errands_abandon(s->errands);
    voice_mute(&s->voice);
    s->h->stopped(s->h);
}

static void sink_stop(void *instance)
{
    sink *s = instance;

    if (s->stopping)
        return;
    s->stopping = true;
    if (!s->rk) {
        s->h->stopped(s->h);
        return;
    }
    s->guard_watch = s->h->watch_timer(s->h, GUARD_MS, 0, on_guard_due, s);
    if (s->phase == PHASE_RUNNING) {
        s->phase = PHASE_EMPTYING;
        s->purge_at_ms = s->h->now_ms(s->h) + PATIENCE_MS;
    }
    if (!s->jobs)
        serve(s);
}

const tw_sink_type kafka_sink_type = {
    .size = sizeof(tw_sink_type),
    .kind = "kafka",
    .settings = kafka_sink_schema,
    .max_batch = 500,
    .max_inflight = 8,
    .open = sink_open,
    .start = sink_start,
    .deliver = sink_deliver,
    .stop = sink_stop,
    .close = sink_close,
};
