// SPDX-License-Identifier: Apache-2.0
/* The Kafka source against librdkafka's mock cluster. ctest: threads */
#include "kafka_fixture.h"

enum { HEARTBEAT_API = 12 };

static tw_plugins *plugins;

/* The mock lets a group wait for its members as long as a session may last. A refresh of
 * the metadata that meets the end of its first wait (3 s) makes 2.0.2 join once more. */
#define SETTINGS                                                                         \
    "{\"brokers\": \"%s\", \"group\": \"g\", \"start\": \"%s\", "                        \
    "\"on_missing_offset\": \"%s\", \"properties\": {"                                   \
    "\"topic.metadata.refresh.interval.ms\": 700, \"session.timeout.ms\": 3000, "        \
    "\"heartbeat.interval.ms\": 300}}"

static const char *const topics[] = {"requests"};

static void handle_all(fake *f)
{
    for (size_t i = 0; i < f->feed_count; i++)
        if (f->feeds[i].next >= 0)
            f->source->handled(f->instance, f->feeds[i].feed, f->feeds[i].next);
}

static void
test_records_of_all_partitions_arrive_with_key_time_and_tombstones(void **state)
{
    cluster c = cluster_new();
    fake *f = fake_new(SETTINGS, c.address, "earliest", "fail");

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "requests", 2, 1);
    produce(&c, "requests", 0, 100, 40);
    source_begin(f, plugins, topics, 1);
    PUMP(f, f->seen_count == 100);
    for (size_t i = 0, per_partition[2] = {0}; i < 100; i++) {
        const seen *s = &f->seen[i];
        int number = (int)strtol(s->key + 1, NULL, 10);
        assert_int_equal(s->offset, per_partition[s->partition]++);
        assert_int_equal(s->partition, number % 2);
        assert_int_equal(s->time_ms, 1732182000000 + number);
        assert_int_equal(s->is_tombstone, number == 40);
        if (number != 40)
            assert_string_equal(s->value + 1, s->key + 1);
    }
    PUMP(f, f->feeds[0].ended && f->feeds[1].ended);
    assert_string_equal(f->trouble, "");
    assert_int_equal(metric(f, "messages_total"), 100);
    fake_stop(f);
    fake_free(f);
    cluster_free(&c);
}

static void test_a_restart_goes_on_where_the_handled_records_ended(void **state)
{
    cluster c = cluster_new();
    fake *f = fake_new(SETTINGS, c.address, "earliest", "fail");

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "requests", 2, 1);
    produce(&c, "requests", 0, 50, -1);
    source_begin(f, plugins, topics, 1);
    PUMP(f, f->seen_count == 50);
    handle_all(f);
    fake_stop(f);
    fake_free(f);

    produce(&c, "requests", 50, 30, -1);
    f = fake_new(SETTINGS, c.address, "earliest", "fail");
    source_begin(f, plugins, topics, 1);
    PUMP(f, f->seen_count >= 30);
    PUMP(f, f->feeds[0].ended && f->feeds[1].ended);
    assert_int_equal(f->seen_count, 30);
    for (size_t i = 0; i < 30; i++)
        assert_true(strtol(f->seen[i].key + 1, NULL, 10) >= 50);
    fake_stop(f);
    fake_free(f);
    cluster_free(&c);
}

static void test_latest_skips_what_was_there_but_nothing_while_stopped(void **state)
{
    cluster c = cluster_new();
    fake *f = fake_new(SETTINGS, c.address, "latest", "fail");

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "requests", 2, 1);
    produce(&c, "requests", 0, 10, -1);
    source_begin(f, plugins, topics, 1);
    PUMP(f, f->feed_count == 2 && f->feeds[0].ended && f->feeds[1].ended);
    assert_int_equal(f->seen_count, 0);
    fake_stop(f);
    fake_free(f);

    produce(&c, "requests", 10, 4, -1);
    f = fake_new(SETTINGS, c.address, "latest", "fail");
    source_begin(f, plugins, topics, 1);
    PUMP(f, f->seen_count == 4);
    fake_stop(f);
    fake_free(f);
    cluster_free(&c);
}

static bool saw_each_once(const fake *a, const fake *b, int count)
{
    int *times = calloc((size_t)count, sizeof *times);
    bool each_once = true;

    for (size_t i = 0; i < a->seen_count; i++)
        times[strtol(a->seen[i].key + 1, NULL, 10)]++;
    for (size_t i = 0; b && i < b->seen_count; i++)
        times[strtol(b->seen[i].key + 1, NULL, 10)]++;
    for (int i = 0; i < count; i++)
        each_once = each_once && times[i] == 1;
    free(times);
    return each_once;
}

static int64_t stored_sum(const cluster *c)
{
    const char *pairs[] = {"bootstrap.servers", c->address, "group.id", "g", NULL};
    rd_kafka_t *rk = client_new(RD_KAFKA_CONSUMER, pairs);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2);
    int64_t sum = 0;

    for (int32_t i = 0; i < 2; i++)
        rd_kafka_topic_partition_list_add(list, "requests", i);
    assert_int_equal(rd_kafka_committed(rk, list, PATIENCE_MS), 0);
    for (int i = 0; i < 2; i++)
        sum += list->elems[i].offset > 0 ? list->elems[i].offset : 0;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return sum;
}

/* The mock refuses to store while a group is rebalancing, where Kafka stores: the
 * positions are stored before. */
static void test_a_second_member_takes_over_without_loss_or_repetition(void **state)
{
    cluster c = cluster_new();
    fake *a = fake_new(SETTINGS, c.address, "earliest", "fail");
    fake *b = fake_new(SETTINGS, c.address, "earliest", "fail");

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "requests", 2, 1);
    produce(&c, "requests", 0, 40, -1);
    source_begin(a, plugins, topics, 1);
    PUMP(a, a->seen_count == 40);
    handle_all(a);
    PUMP(a, stored_sum(&c) == 40);
    source_begin(b, plugins, topics, 1);
    PUMP_BOTH(a, b, a->feed_count == 1 && b->feed_count == 1);
    assert_non_null(strstr(a->logged, "1 partitions instead of 2: other members of group "
                                      "g read the rest"));
    produce(&c, "requests", 40, 40, -1);
    PUMP_BOTH(a, b, a->seen_count + b->seen_count >= 80);
    assert_int_equal(b->seen_count, 20);
    assert_true(saw_each_once(a, b, 80));
    fake_stop(b);
    fake_stop(a);
    fake_free(a);
    fake_free(b);
    cluster_free(&c);
}

static void test_a_lost_session_repeats_nothing_that_was_handled(void **state)
{
    cluster c = cluster_new();
    fake *f = fake_new(SETTINGS, c.address, "earliest", "fail");

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "requests", 2, 1);
    produce(&c, "requests", 0, 20, -1);
    source_begin(f, plugins, topics, 1);
    PUMP(f, f->seen_count == 20);
    rd_kafka_mock_push_request_errors(c.mock, HEARTBEAT_API, 1,
                                      RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    PUMP(f, f->removed == 2 && f->feed_count == 2);
    produce(&c, "requests", 20, 4, -1);
    PUMP(f, f->seen_count >= 24);
    PUMP(f, f->feeds[0].ended && f->feeds[1].ended);
    assert_true(saw_each_once(f, NULL, 24));
    fake_stop(f);
    fake_free(f);
    cluster_free(&c);
}

static void test_a_missing_topic_is_named_and_others_go_on(void **state)
{
    static const char *const two[] = {"requests", "deploys"};
    cluster c = cluster_new();
    fake *f = fake_new(SETTINGS, c.address, "earliest", "fail");

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "requests", 2, 1);
    rd_kafka_mock_topic_create(c.mock, "deploys", 2, 1);
    produce(&c, "requests", 0, 10, -1);
    produce(&c, "deploys", 10, 2, -1);
    rd_kafka_mock_topic_set_error(c.mock, "deploys",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    source_begin(f, plugins, two, 2);
    PUMP(f, f->seen_count == 10 && strstr(f->trouble, "topic deploys does not exist"));
    rd_kafka_mock_topic_set_error(c.mock, "deploys", RD_KAFKA_RESP_ERR_NO_ERROR);
    PUMP(f, f->seen_count >= 12 && !*f->trouble);
    assert_string_equal(f->seen[11].topic, "deploys");
    fake_stop(f);
    fake_free(f);
    cluster_free(&c);
}

/* Its records bear times long before the source's start. */
static void test_a_topic_that_appears_is_read_from_its_beginning(void **state)
{
    cluster c = cluster_new();
    fake *f = fake_new(SETTINGS, c.address, "latest", "fail");

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "requests", 2, 1);
    produce(&c, "requests", 0, 5, -1);
    rd_kafka_mock_topic_set_error(c.mock, "requests",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    source_begin(f, plugins, topics, 1);
    PUMP(f, strstr(f->trouble, "topic requests does not exist"));
    assert_null(
        strstr(f->logged, "topic")); /* the host logs the trouble: once is enough */
    rd_kafka_mock_topic_set_error(c.mock, "requests", RD_KAFKA_RESP_ERR_NO_ERROR);
    PUMP(f, f->seen_count == 5);
    fake_stop(f);
    fake_free(f);
    cluster_free(&c);
}

/* Stores a position that the log does not have. */
static void store_position(const cluster *c, int64_t offset)
{
    const char *pairs[] = {"bootstrap.servers", c->address, "group.id", "g", NULL};
    rd_kafka_t *rk = client_new(RD_KAFKA_CONSUMER, pairs);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2);

    for (int32_t i = 0; i < 2; i++)
        rd_kafka_topic_partition_list_add(list, "requests", i)->offset = offset;
    assert_int_equal(rd_kafka_commit(rk, list, 0), 0);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

static void test_a_stored_position_behind_the_log_fails_or_moves_as_told(void **state)
{
    cluster c = cluster_new();
    fake *f = fake_new(SETTINGS, c.address, "earliest", "fail");

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "requests", 2, 1);
    produce(&c, "requests", 0, 10, -1);
    store_position(&c, 1000);
    source_begin(f, plugins, topics, 1);
    PUMP(f, f->exit_code != 0);
    assert_int_equal(f->exit_code, 65);
    assert_non_null(strstr(f->why, "position 1000 is behind the end of the log, 5"));
    fake_stop(f);
    assert_int_equal(f->seen_count, 0);
    fake_free(f);

    f = fake_new(SETTINGS, c.address, "latest", "earliest");
    source_begin(f, plugins, topics, 1);
    PUMP(f, f->seen_count == 10);
    fake_stop(f);
    fake_free(f);
    cluster_free(&c);
}

static void test_a_broker_that_goes_away_is_said_and_comes_back(void **state)
{
    cluster c = cluster_new();
    fake *f = fake_new(SETTINGS, c.address, "earliest", "fail");

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "requests", 2, 1);
    produce(&c, "requests", 0, 10, -1);
    rd_kafka_mock_broker_set_down(c.mock, 1);
    source_begin(f, plugins, topics, 1);
    PUMP(f, strstr(f->trouble, "can be reached"));
    rd_kafka_mock_broker_set_up(c.mock, 1);
    PUMP(f, f->seen_count == 10 && !*f->trouble);
    rd_kafka_mock_broker_set_down(c.mock, 1);
    PUMP(f, strstr(f->trouble, "can be reached"));
    fake_stop(f); /* and does not hang */
    fake_free(f);
    cluster_free(&c);
}

static void test_a_fenced_member_ends_with_a_code_of_its_own(void **state)
{
    cluster c = cluster_new();
    fake *f = fake_new("{\"brokers\": \"%s\", \"instance_id\": \"me\", \"start\": "
                       "\"earliest\", \"properties\": {\"heartbeat.interval.ms\": 300}}",
                       c.address);

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "requests", 2, 1);
    source_begin(f, plugins, topics, 1);
    PUMP(f, f->feed_count == 2);
    rd_kafka_mock_push_request_errors(c.mock, HEARTBEAT_API, 1,
                                      RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
    PUMP(f, f->exit_code != 0);
    assert_int_equal(f->exit_code, 77);
    assert_non_null(strstr(f->why, "the same instance_id"));
    fake_stop(f);
    fake_free(f);
    cluster_free(&c);
}

static void test_a_stop_before_the_first_assignment_ends(void **state)
{
    cluster c = cluster_new();
    fake *f = fake_new(SETTINGS, c.address, "earliest", "fail");

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "requests", 2, 1);
    source_begin(f, plugins, topics, 1);
    fake_stop(f);
    fake_free(f);
    cluster_free(&c);
}

static void test_the_embedded_broker_is_found_by_a_file_while_it_runs(void **state)
{
    char folder[] = P_tmpdir "/embedded-XXXXXX", path[64], line[64] = "";
    fake *f = fake_new("{\"brokers\": \"embedded\"}");

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/embedded-broker", folder);
    f->host.state_dir = folder;
    source_begin(f, plugins, topics, 1);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof line, in));
    fclose(in);
    assert_memory_equal(line, "127.0.0.1:", 10);
    fake_stop(f);
    fake_free(f);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(rmdir(folder), 0);
}

static void refuses(const char *settings, const char *text)
{
    tw_refusal refusal = {.size = sizeof refusal};
    tw_err err = {0};
    fake *f = fake_new("%s", settings);
    const tw_source_type *type = tw_plugins_source(plugins, "kafka", &err);

    assert_null(type->open(&f->host, topics, 1, &refusal));
    if (!strstr(refusal.text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, refusal.text);
    fake_free(f);
}

static void test_wrong_settings_are_refused_by_name(void **state)
{
    (void)state;
    refuses("{}", "brokers:");
    refuses("{\"brokers\": [\"a:1\", 2]}", "brokers:");
    refuses("{\"brokers\": \"a:1\", \"gruop\": \"g\"}", "gruop: not a setting");
    refuses("{\"brokers\": \"a:1\", \"start\": \"yesterday\"}", "start:");
    refuses("{\"brokers\": \"a:1\", \"start\": \"2024-11-21T09:40:05\"}", "start:");
    refuses("{\"brokers\": \"a:1\", \"on_missing_offset\": \"x\"}", "on_missing_offset:");
    refuses("{\"brokers\": \"a:1\", \"properties\": {\"enable.auto.commit\": true}}",
            "enable.auto.commit: cannot be set");
    refuses("{\"brokers\": \"a:1\", \"properties\": {\"no.such\": 1}}", "no.such");
    refuses("{\"brokers\": \"a:1\", \"properties\": {"
            "\"partition.assignment.strategy\": \"cooperative-sticky\"}}",
            "partition.assignment.strategy");
    refuses("{\"brokers\": \"a:1\", \"security\": {\"protocol\": \"NONE\"}}",
            "security.protocol");
    refuses("{\"brokers\": \"a:1\", \"security\": {\"sasl\": {\"no_such\": \"x\"}}}",
            "sasl.no.such");
}

static void test_a_refusal_does_not_print_secrets(void **state)
{
    static const char *const places[] = {
        "\"security\": {\"sasl\": {\"pasword\": \"hunter2\"}}",
        "\"security\": {\"pasword\": \"hunter2\"}",
        "\"security\": {\"protocol\": \"hunter2\"}",
        "\"properties\": {\"ssl.key.pasword\": \"hunter2\"}",
        "\"properties\": {\"group.id\": \"hunter2\"}",
        "\"properties\": {\"sasl.mechanism\": [\"hunter2\"]}"};
    tw_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        tw_refusal refusal = {.size = sizeof refusal};
        fake *f = fake_new("{\"brokers\": \"a:1\", %s}", places[i]);

        assert_null(tw_plugins_source(plugins, "kafka", &err)
                        ->open(&f->host, topics, 1, &refusal));
        assert_string_not_equal(refusal.text, "");
        if (strstr(refusal.text, "hunter2"))
            fail_msg("%s", refusal.text);
        fake_free(f);
    }
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
        cmocka_unit_test(test_a_refusal_does_not_print_secrets),
        cmocka_unit_test(
            test_records_of_all_partitions_arrive_with_key_time_and_tombstones),
        cmocka_unit_test(test_a_restart_goes_on_where_the_handled_records_ended),
        cmocka_unit_test(test_latest_skips_what_was_there_but_nothing_while_stopped),
        cmocka_unit_test(test_a_second_member_takes_over_without_loss_or_repetition),
        cmocka_unit_test(test_a_lost_session_repeats_nothing_that_was_handled),
        cmocka_unit_test(test_a_missing_topic_is_named_and_others_go_on),
        cmocka_unit_test(test_a_topic_that_appears_is_read_from_its_beginning),
        cmocka_unit_test(test_a_stored_position_behind_the_log_fails_or_moves_as_told),
        cmocka_unit_test(test_a_broker_that_goes_away_is_said_and_comes_back),
        cmocka_unit_test(test_a_fenced_member_ends_with_a_code_of_its_own),
        cmocka_unit_test(test_a_stop_before_the_first_assignment_ends),
        cmocka_unit_test(test_the_embedded_broker_is_found_by_a_file_while_it_runs),
    };

    return run_side_by_side(tests, sizeof tests / sizeof *tests, set_up, tear_down);
}
