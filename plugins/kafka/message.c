// SPDX-License-Identifier: Apache-2.0
/* CloudEvents 1.0 in the binary mode of its Kafka binding: the value is the JSON as it
 * is, each attribute is a header ce_NAME. A dead letter is the original message again,
 * its own key, bytes and headers, with tw_dlq_ headers that the engine has put among
 * them; it is no event, so it gets no attributes. */
#include "message.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void add(rd_kafka_headers_t *headers, const char *name, const char *value)
{
    if (value && *value)
        rd_kafka_header_add(headers, name, -1, value, -1);
}

static void add_time(rd_kafka_headers_t *headers, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    char day[32], text[48];
    struct tm tm;

    if (time_ms < 0 || !gmtime_r(&seconds, &tm) ||
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        return;
    snprintf(text, sizeof text, "%s.%03dZ", day, (int)(time_ms % 1000));
    add(headers, "ce_time", text);
}

static void add_attributes(rd_kafka_headers_t *headers, const sink_settings *settings,
                           const tw_record *r)
{
    bool is_alert = r->kind == TW_RECORD_ALERT;
    char type[64];

    snprintf(type, sizeof type, "io.tidewatch.%s%s", is_alert ? "alert." : "event",
             is_alert && r->status ? r->status : "");
    add(headers, "ce_specversion", "1.0");
    add(headers, "ce_id", r->id);
    add(headers, "ce_source", settings->ce_source);
    add(headers, "ce_type", type);
    add_time(headers, r->time_ms);
    add(headers, "content-type", "application/json");
    add(headers, "ce_subject", is_alert ? r->incident : r->stream);
    if (is_alert) {
        add(headers, "ce_correlationid", r->incident);
        add(headers, "ce_severitytext", r->level);
    }
}

static rd_kafka_headers_t *make_headers(const sink_settings *settings, const tw_record *r)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(r->header_count + 10);

    if (settings->cloudevents && r->kind != TW_RECORD_DEAD_LETTER)
        add_attributes(headers, settings, r);
    for (size_t i = 0; i < r->header_count; i++)
        rd_kafka_header_add(headers, r->headers[i].name, -1,
                            r->headers[i].value ? r->headers[i].value : "", -1);
    return headers;
}

rd_kafka_resp_err_t message_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic,
                                    const sink_settings *settings, const tw_record *r,
                                    void *opaque)
{
    bool is_dead = r->kind == TW_RECORD_DEAD_LETTER;
    const char *value = is_dead ? r->data : r->json;
    rd_kafka_headers_t *headers = make_headers(settings, r);
    rd_kafka_resp_err_t err;

    err = rd_kafka_producev(
        rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, is_dead ? r->data_size : r->json_size),
        RD_KAFKA_V_KEY(r->key, r->key ? strlen(r->key) : 0),
        RD_KAFKA_V_TIMESTAMP(r->time_ms > 0 ? r->time_ms : 0), RD_KAFKA_V_MSGFLAGS(0),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
    if (err)
        rd_kafka_headers_destroy(headers);
    return err;
}

message_fate message_fate_of(rd_kafka_resp_err_t err)
{
    static const rd_kafka_resp_err_t refused[] = {
        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,    RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
        RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_RECORD,
        RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,     RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
        RD_KAFKA_RESP_ERR__INVALID_ARG,
    };

    if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return FATE_TAKEN;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (err == refused[i])
            return FATE_REFUSED;
    return FATE_AGAIN;
}
