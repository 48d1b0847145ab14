// SPDX-License-Identifier: Apache-2.0
/* The producer; see producer.h. */
#include "demo/producer.h"

#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "shared/settings.h"

struct producer {
    rd_kafka_t *rk;
    uint64_t lost;
};

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    producer *p = opaque;

    (void)rk;
    if (m->err)
        p->lost++;
}

/* The broker goes before its producer when the demo ends; that is nobody's news. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

producer *producer_new(const char *brokers, tw_refusal *refusal)
{
    static const char *const properties[][2] = {
        {"client.id", "tidewatch-demo"},
        {"linger.ms", "5"},
        {"message.timeout.ms", "5000"},
        {"socket.nagle.disable", "true"},
    };
    char why[256] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    producer *p = shared_alloc(sizeof *p);

    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
        rd_kafka_conf_set(conf, properties[i][0], properties[i][1], why, sizeof why);
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    rd_kafka_conf_set_opaque(conf, p);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    rd_kafka_conf_set_log_cb(conf, on_log);
    p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (p->rk)
        return p;
    rd_kafka_conf_destroy(conf);
    free(p);
    return settings_refuse(refusal, "no producer: %s", why);
}

void producer_send(producer *p, const char *topic, const char *key, const char *value)
{
    rd_kafka_resp_err_t err = rd_kafka_producev(
        p->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)), RD_KAFKA_V_END);

    if (err)
        p->lost++;
}

void producer_send_to(producer *p, const char *topic, int32_t partition,
                      const char *value)
{
    rd_kafka_resp_err_t err = rd_kafka_producev(
        p->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)), RD_KAFKA_V_END);

    if (err)
        p->lost++;
}

void producer_serve(producer *p)
{
    rd_kafka_poll(p->rk, 0);
}

uint64_t producer_lost(const producer *p)
{
    return p->lost;
}

void producer_free(producer *p)
{
    if (!p)
        return;
    rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                              RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_destroy(p->rk);
    free(p);
}
