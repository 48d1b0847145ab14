// SPDX-License-Identifier: Apache-2.0
/* The Kafka sink against librdkafka's mock cluster: what a record looks like there and what each end of a
 * delivery means. ctest: threads */
#include "kafka_fixture.h"

enum { PRODUCE_API = 0 };

static tw_plugins *plugins;

static const tw_record alert = {
    .size = sizeof alert,
    .kind = TW_RECORD_ALERT,
    .id = "id-1",
    .key = "errors:cart",
    .json = "{\"a\":1}",
    .json_size = 7,
    .time_ms = 1732182005250,
    .rule = "shop/errors",
    .incident = "errors:cart",
    .status = "firing",
    .level = "crit",
    .title = "t",
    .body = "",
};

/* ---- bench ------------------------------------------------------------------------- */

typedef struct bench {
    cluster c;
    fake *f;
    tw_delivery delivery;
    rd_kafka_t *reader;
    rd_kafka_message_t *m; /* read last */
} bench;

static void begin(bench *b, const char *more_settings)
{
    *b = (bench){.c = cluster_new()};
    rd_kafka_mock_topic_create(b->c.mock, "alerts", 2, 1);
    b->f = fake_new(
        "{\"brokers\": \"%s\", \"topic\": \"alerts\", \"source\": \"/eu/shop\"%s}",
        b->c.address, more_settings);
    sink_begin(b->f, plugins);
}

static void end(bench *b)
{
    if (b->m)
        rd_kafka_message_destroy(b->m);
    if (b->reader)
        rd_kafka_destroy(b->reader);
    if (!b->f->stopped)
        fake_stop(b->f);
    fake_free(b->f);
    cluster_free(&b->c);
}

static void begin_delivery(bench *b, const tw_record *const *records, size_t count)
{
    b->delivery = (tw_delivery){
        .size = sizeof b->delivery, .records = records, .count = count, .attempt = 1};
    b->f->sink->deliver(b->f->instance, &b->delivery);
}

static tw_answer_class deliver(bench *b, const tw_record *const *records, size_t count)
{
    unsigned before = b->f->answers;

    begin_delivery(b, records, count);
    PUMP(b->f, b->f->answers > before);
    return b->f->answer;
}

static tw_answer_class deliver_one(bench *b, const tw_record *record)
{
    return deliver(b, &record, 1);
}

/* The next record of the topic, whichever partition it is in. */
static const rd_kafka_message_t *read_one(bench *b)
{
    const char *pairs[] = {"bootstrap.servers", b->c.address, "group.id", "reader", NULL};

    if (!b->reader) {
        rd_kafka_topic_partition_list_t *both = rd_kafka_topic_partition_list_new(2);
        b->reader = client_new(RD_KAFKA_CONSUMER, pairs);
        for (int32_t i = 0; i < 2; i++)
            rd_kafka_topic_partition_list_add(both, "alerts", i)->offset = 0;
        rd_kafka_assign(b->reader, both);
        rd_kafka_topic_partition_list_destroy(both);
    }
    if (b->m)
        rd_kafka_message_destroy(b->m);
    b->m = rd_kafka_consumer_poll(b->reader, PATIENCE_MS);
    assert_non_null(b->m);
    assert_int_equal(b->m->err, 0);
    return b->m;
}

static const char *header(const rd_kafka_message_t *m, const char *name)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;

    if (rd_kafka_message_headers(m, &headers) != 0 ||
        rd_kafka_header_get_last(headers, name, &value, &size) != 0)
        return "(none)";
    return value;
}

static void assert_bytes(const void *bytes, size_t size, const char *text,
                         size_t text_size)
{
    assert_int_equal(size, text_size);
    assert_memory_equal(bytes, text, size);
}

/* ---- what arrives ------------------------------------------------------------------ */

static void test_an_alert_arrives_keyed_as_a_cloudevent_in_binary_mode(void **state)
{
    bench b;
    rd_kafka_timestamp_type_t type;

    (void)state;
    begin(&b, "");
    assert_int_equal(deliver_one(&b, &alert), TW_ANSWER_DONE);
    const rd_kafka_message_t *m = read_one(&b);
    assert_bytes(m->key, m->key_len, "errors:cart", 11);
    assert_bytes(m->payload, m->len, "{\"a\":1}", 7);
    assert_int_equal(rd_kafka_message_timestamp(m, &type), 1732182005250);
    assert_string_equal(header(m, "ce_specversion"), "1.0");
    assert_string_equal(header(m, "ce_id"), "id-1");
    assert_string_equal(header(m, "ce_source"), "/eu/shop");
    assert_string_equal(header(m, "ce_type"), "io.tidewatch.alert.firing");
    assert_string_equal(header(m, "ce_time"), "2024-11-21T09:40:05.250Z");
    assert_string_equal(header(m, "ce_subject"), "errors:cart");
    assert_string_equal(header(m, "ce_correlationid"), "errors:cart");
    assert_string_equal(header(m, "ce_severitytext"), "crit");
    assert_string_equal(header(m, "content-type"), "application/json");
    assert_int_equal(metric(b.f, "produced_total"), 1);
    end(&b);
}

static void test_a_repeated_record_keeps_its_id_and_its_partition(void **state)
{
    bench b;

    (void)state;
    begin(&b, "");
    assert_int_equal(deliver_one(&b, &alert), TW_ANSWER_DONE);
    assert_int_equal(deliver_one(&b, &alert), TW_ANSWER_DONE);
    int32_t partition = read_one(&b)->partition;
    assert_int_equal(read_one(&b)->partition, partition);
    assert_int_equal(b.m->offset, 1);
    assert_string_equal(header(b.m, "ce_id"), "id-1");
    end(&b);
}

static void test_the_format_json_adds_no_headers(void **state)
{
    bench b;
    rd_kafka_headers_t *headers;

    (void)state;
    begin(&b, ", \"format\": \"json\"");
    assert_int_equal(deliver_one(&b, &alert), TW_ANSWER_DONE);
    const rd_kafka_message_t *m = read_one(&b);
    assert_bytes(m->payload, m->len, "{\"a\":1}", 7);
    assert_int_equal(rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR__NOENT);
    end(&b);
}

static void test_a_dead_letter_is_the_original_message_with_its_reasons(void **state)
{
    static const tw_pair pairs[] = {{"tw_dlq_topic", "requests"},
                                    {"tw_dlq_error", "not JSON"}};
    static const tw_record dead = {.size = sizeof dead,
                                   .kind = TW_RECORD_DEAD_LETTER,
                                   .id = "d-1",
                                   .key = "k7",
                                   .json = "{}",
                                   .json_size = 2,
                                   .headers = pairs,
                                   .header_count = 2,
                                   .data = "\x00{x\xff",
                                   .data_size = 4};
    bench b;

    (void)state;
    begin(&b, "");
    assert_int_equal(deliver_one(&b, &dead), TW_ANSWER_DONE);
    const rd_kafka_message_t *m = read_one(&b);
    assert_bytes(m->payload, m->len, "\x00{x\xff", 4);
    assert_bytes(m->key, m->key_len, "k7", 2);
    assert_string_equal(header(m, "tw_dlq_topic"), "requests");
    assert_string_equal(header(m, "tw_dlq_error"), "not JSON");
    assert_string_equal(header(m, "ce_id"), "(none)");
    end(&b);
}

/* ---- what an end means ------------------------------------------------------------- */

static void test_a_record_too_large_is_singled_out_and_then_dropped(void **state)
{
    char bytes[4000];
    tw_record large = alert;
    const tw_record *three[] = {&alert, &large, &alert};
    bench b;

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    large.json = bytes;
    large.json_size = sizeof bytes;
    begin(&b, ", \"properties\": {\"message.max.bytes\": 2000}");
    assert_int_equal(deliver(&b, three, 3), TW_ANSWER_RETRY_PART);
    assert_int_equal(b.f->retry[0], 0);
    assert_int_equal(b.f->retry[1], 1);
    assert_int_equal(b.f->retry[2], 0);
    assert_int_equal(deliver_one(&b, &large), TW_ANSWER_DROP);
    end(&b);
}

static void answers_to(rd_kafka_resp_err_t err, tw_answer_class expected)
{
    bench b;

    begin(&b, ", \"properties\": {\"topic.metadata.refresh.interval.ms\": 200}");
    rd_kafka_mock_push_request_errors(b.c.mock, PRODUCE_API, 1, err);
    assert_int_equal(deliver_one(&b, &alert), expected);
    PUMP(b.f, deliver_one(&b, &alert) == TW_ANSWER_DONE); /* and goes on */
    end(&b);
}

static void test_a_record_that_the_broker_finds_invalid_is_dropped(void **state)
{
    (void)state;
    answers_to(RD_KAFKA_RESP_ERR_INVALID_RECORD, TW_ANSWER_DROP);
}

static void test_a_refusal_that_an_operator_can_lift_is_tried_again(void **state)
{
    (void)state;
    answers_to(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, TW_ANSWER_RETRY);
}

static void test_a_broker_overloaded_for_a_moment_goes_unnoticed(void **state)
{
    (void)state;
    answers_to(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, TW_ANSWER_DONE);
}

static void test_a_fatal_error_gives_a_new_producer_and_another_try(void **state)
{
    bench b;

    (void)state;
    begin(&b, "");
    rd_kafka_mock_push_request_errors(b.c.mock, PRODUCE_API, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_int_equal(deliver_one(&b, &alert), TW_ANSWER_RETRY);
    PUMP(b.f, metric(b.f, "rebuilds_total") == 1);
    PUMP(b.f, deliver_one(&b, &alert) == TW_ANSWER_DONE);
    end(&b);
}

static void test_a_broker_away_is_said_and_what_waits_is_delivered_later(void **state)
{
    bench b;

    (void)state;
    begin(&b, "");
    assert_int_equal(deliver_one(&b, &alert), TW_ANSWER_DONE);
    rd_kafka_mock_broker_set_down(b.c.mock, 1);
    PUMP(b.f, strstr(b.f->trouble, "can be reached"));
    const tw_record *one = &alert;
    begin_delivery(&b, &one, 1);
    rd_kafka_mock_broker_set_up(b.c.mock, 1);
    PUMP(b.f, b.f->answers == 2);
    assert_int_equal(b.f->answer, TW_ANSWER_DONE);
    PUMP(b.f, !*b.f->trouble);
    end(&b);
}

static void test_a_missing_topic_is_named_and_tried_again(void **state)
{
    bench b;

    (void)state;
    begin(&b,
          ", \"properties\": {\"topic.metadata.propagation.max.ms\": 100,"
          "\"message.timeout.ms\": 2000, \"topic.metadata.refresh.interval.ms\": 200}");
    rd_kafka_mock_topic_set_error(b.c.mock, "alerts",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    /* On a busy machine the first ones may run out of time before the broker is asked. */
    PUMP(b.f, deliver_one(&b, &alert) == TW_ANSWER_RETRY &&
                  strstr(b.f->trouble, "topic alerts does not exist"));
    rd_kafka_mock_topic_set_error(b.c.mock, "alerts", RD_KAFKA_RESP_ERR_NO_ERROR);
    PUMP(b.f, deliver_one(&b, &alert) == TW_ANSWER_DONE);
    assert_string_equal(b.f->trouble, "");
    end(&b);
}

static void test_a_stop_answers_what_is_open_first(void **state)
{
    bench b;
    const tw_record *one = &alert;

    (void)state;
    begin(&b, "");
    rd_kafka_mock_broker_set_down(b.c.mock, 1);
    begin_delivery(&b, &one, 1);
    b.f->sink->stop(b.f->instance);
    PUMP(b.f, b.f->answers == 1);
    assert_int_equal(b.f->answer, TW_ANSWER_RETRY);
    PUMP(b.f, b.f->stopped);
    end(&b);
}

static void test_embedded_brokers_are_one_cluster_for_sources_and_sinks(void **state)
{
    static const char *const topics[] = {"alerts"};
    fake *out = fake_new("{\"brokers\": \"embedded\", \"topic\": \"alerts\"}");
    fake *in = fake_new("{\"brokers\": \"embedded\", \"start\": \"earliest\"}");
    const tw_record *one = &alert;
    tw_delivery d = {.size = sizeof d, .records = &one, .count = 1, .attempt = 1};

    (void)state;
    sink_begin(out, plugins);
    source_begin(in, plugins, topics, 1);
    out->sink->deliver(out->instance, &d);
    PUMP_BOTH(out, in, in->seen_count == 1);
    assert_string_equal(in->seen[0].key, "errors:cart");
    fake_stop(in);
    fake_free(in);
    fake_stop(out);
    fake_free(out);
}

static void refuses(const char *settings, const char *text)
{
    tw_refusal refusal = {.size = sizeof refusal};
    tw_err err = {0};
    fake *f = fake_new("%s", settings);
    const tw_sink_type *type = tw_plugins_sink(plugins, "kafka", &err);

    assert_null(type->open(&f->host, &refusal));
    if (!strstr(refusal.text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, refusal.text);
    fake_free(f);
}

static void test_wrong_settings_are_refused_by_name(void **state)
{
    (void)state;
    refuses("{\"topic\": \"t\"}", "brokers:");
    refuses("{\"brokers\": \"a:1\"}", "topic: is missing");
    refuses("{\"brokers\": \"a:1\", \"topic\": 3}", "topic:");
    refuses("{\"brokers\": \"a:1\", \"topic\": \"t\", \"format\": \"xml\"}", "format:");
    refuses("{\"brokers\": \"a:1\", \"topic\": \"t\", \"keys\": 1}",
            "keys: not a setting");
    refuses(
        "{\"brokers\": \"a:1\", \"topic\": \"t\", \"properties\": {\"transactional.id\": "
        "\"x\"}}",
        "transactional.id: cannot be set");
}

static int set_up(void **state)
{
    (void)state;
    plugins = kafka_plugin();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tw_plugins_free(plugins);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_settings_are_refused_by_name),
        cmocka_unit_test(test_an_alert_arrives_keyed_as_a_cloudevent_in_binary_mode),
        cmocka_unit_test(test_a_repeated_record_keeps_its_id_and_its_partition),
        cmocka_unit_test(test_the_format_json_adds_no_headers),
        cmocka_unit_test(test_a_dead_letter_is_the_original_message_with_its_reasons),
        cmocka_unit_test(test_a_record_too_large_is_singled_out_and_then_dropped),
        cmocka_unit_test(test_a_record_that_the_broker_finds_invalid_is_dropped),
        cmocka_unit_test(test_a_refusal_that_an_operator_can_lift_is_tried_again),
        cmocka_unit_test(test_a_broker_overloaded_for_a_moment_goes_unnoticed),
        cmocka_unit_test(test_a_fatal_error_gives_a_new_producer_and_another_try),
        cmocka_unit_test(test_a_broker_away_is_said_and_what_waits_is_delivered_later),
        cmocka_unit_test(test_a_missing_topic_is_named_and_tried_again),
        cmocka_unit_test(test_a_stop_answers_what_is_open_first),
        cmocka_unit_test(test_embedded_brokers_are_one_cluster_for_sources_and_sinks),
    };

    return run_side_by_side(tests, sizeof tests / sizeof *tests, set_up, tear_down);
}
