// SPDX-License-Identifier: Apache-2.0
/* A topic read whole for a table, against librdkafka's mock cluster. */
#include "kafka_fixture.h"

static tw_plugins *plugins;

static const char *const topics[] = {"owners", "more"};

#define SETTINGS                                                                         \
    "{\"brokers\": \"%s\", \"group\": \"g\", \"instance_id\": \"i\", \"properties\": {"  \
    "\"topic.metadata.refresh.interval.ms\": 700}}"

static void table_begin(fake *f)
{
    tw_refusal refusal = {.size = sizeof refusal};
    tw_err err = {0};

    f->source = tw_plugin_table_type(tw_plugins_source(plugins, "kafka", &err));
    assert_non_null(f->source);
    f->instance = f->source->open(&f->host, topics, 1, &refusal);
    if (!f->instance || f->source->start(f->instance, &refusal) < 0)
        fail_msg("refused: %s", refusal.text);
}

static int tear_down(void **state)
{
    (void)state;
    tw_plugins_free(plugins);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    plugins = kafka_plugin();
    return plugins ? 0 : -1;
}

static void test_it_is_read_from_its_beginning_and_then_on(void **state)
{
    cluster c = cluster_new();
    fake *f = fake_new(SETTINGS, c.address);

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "owners", 2, 1);
    produce(&c, "owners", 0, 100, 40);
    table_begin(f);
    PUMP(f, f->feed_count == 1 && f->feeds[0].ended);
    assert_int_equal(f->seen_count, 100);
    assert_string_equal(f->feeds[0].topic, "owners");
    assert_int_equal(f->feeds[0].partition, -1);
    for (size_t i = 0, sum = 0; i < 100; i++) {
        const seen *s = &f->seen[i];
        int number = (int)strtol(s->key + 1, NULL, 10);
        assert_int_equal(s->time_ms, 1732182000000 + number);
        assert_int_equal(s->is_tombstone, number == 40);
        sum += (size_t)number;
        assert_int_equal(i == 99 ? sum : 4950, 4950);
    }
    produce(&c, "owners", 100, 10, -1);
    PUMP(f, f->seen_count == 110);
    assert_string_equal(f->trouble, "");
    assert_null(strstr(f->logged, "group"));
    fake_stop(f);
    fake_free(f);
    cluster_free(&c);
}

static void test_an_empty_topic_ends_at_once(void **state)
{
    cluster c = cluster_new();
    fake *f = fake_new(SETTINGS, c.address);

    (void)state;
    rd_kafka_mock_topic_create(c.mock, "owners", 2, 1);
    table_begin(f);
    PUMP(f, f->feed_count == 1 && f->feeds[0].ended);
    assert_int_equal(f->seen_count, 0);
    fake_stop(f);
    fake_free(f);
    cluster_free(&c);
}

static void test_without_brokers_it_says_so_and_stops(void **state)
{
    fake *f = fake_new(SETTINGS, "127.0.0.1:9");

    (void)state;
    table_begin(f);
    PUMP(f,
         strstr(f->trouble, "topic owners cannot be read from the brokers 127.0.0.1:9"));
    assert_int_equal(f->feed_count, 0);
    fake_stop(f);
    fake_free(f);
}

static void test_it_is_one_topic(void **state)
{
    tw_refusal refusal = {.size = sizeof refusal};
    tw_err err = {0};
    fake *f = fake_new(SETTINGS, "127.0.0.1:9");
    const tw_source_type *type =
        tw_plugin_table_type(tw_plugins_source(plugins, "kafka", &err));

    (void)state;
    assert_null(type->open(&f->host, topics, 2, &refusal));
    assert_string_equal(refusal.text, "a table is one topic, and its name is no pattern");
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_read_from_its_beginning_and_then_on),
        cmocka_unit_test(test_an_empty_topic_ends_at_once),
        cmocka_unit_test(test_without_brokers_it_says_so_and_stops),
        cmocka_unit_test(test_it_is_one_topic),
    };
    return run_side_by_side(tests, sizeof tests / sizeof *tests, set_up, tear_down);
}
