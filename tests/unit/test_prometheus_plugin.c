// SPDX-License-Identifier: Apache-2.0
/* Tests of plugins/prometheus: what a page becomes, what a poll that fails becomes, when polls happen,
 * and which settings are refused. Queries: test_prometheus_query.c.
 * ctest: threads */
#include "poller_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- a page ---- */

static void each_sample_is_an_event_with_its_labels_as_fields(void **state)
{
    (void)state;
    bench b;
    setup(&b,
          TEXT("# TYPE http_requests_total counter\n"
               "http_requests_total{code=\"500\",path=\"/a \\\"b\\\"\"} 1027 "
               "1732182005123\n"
               "load 0.5\n"),
          false, ", \"labels\": {\"team\": \"x\"}");
    turn_until(&b, has_events, 5);
    const json_t *e = event(&b, "http_requests_total", 0);
    assert_int_equal(json_object_size(e), 8);
    assert_true(number(e, "value") == 1027);
    assert_true(number(e, "time") == 1732182005123);
    assert_string_equal(text(e, "code"), "500");
    assert_string_equal(text(e, "path"), "/a \"b\"");
    assert_string_equal(text(e, "job"), "metrics");
    assert_string_equal(text(e, "instance"), instance_of(&b));
    assert_string_equal(text(e, "team"), "x");
    assert_true(number(event(&b, "load", 0), "value") == 0.5);
    teardown(&b);
}

static void
a_sample_has_its_own_time_or_that_of_the_poll_and_so_has_its_frame(void **state)
{
    (void)state;
    bench b;
    setup(&b, TEXT("a 1 1732182005123\nb 1\n"), false, "");
    turn_until(&b, has_events, 5);
    assert_true(b.times[0] == 1732182005123);
    assert_true(number(event(&b, "b", 0), "time") == (double)b.times[1]);
    assert_true(number(event(&b, "up", 0), "time") == (double)b.times[1]);
    assert_true(b.times[1] == b.host.now_ms);
    teardown(&b);
}

static void a_poll_says_how_it_went(void **state)
{
    (void)state;
    bench b;
    setup(&b, TEXT("a 1\nb NaN\n"), false, "");
    turn_until(&b, has_events, 4);
    const json_t *up = event(&b, "up", 0);
    assert_true(number(up, "value") == 1);
    assert_null(json_object_get(up, "error"));
    assert_string_equal(text(up, "instance"), instance_of(&b));
    assert_true(number(event(&b, "scrape_samples_scraped", 0), "value") == 2);
    assert_true(number(event(&b, "scrape_duration_seconds", 0), "value") < 5);
    assert_int_equal(fake_host_metric(&b.host, "targets_up"), 1);
    assert_true(fake_host_metric(&b.host, "samples_not_numbers_total") >= 1);
    assert_int_equal(fake_host_metric(&b.host, "polls_failed_total"), 0);
    teardown(&b);
}

static void the_request_says_what_is_understood(void **state)
{
    (void)state;
    bench b;
    setup(&b, TEXT("a 1\n"), false,
          ", \"timeout\": \"7500ms\", \"basic_auth\": {\"username\": \"u\", "
          "\"password\": \"p\"}");
    turn_until(&b, has_polled, 1);
    assert_string_equal(http_double_target(b.server, 0), "/metrics?a=1");
    const char *accept = http_double_header(b.server, 0, "accept");
    assert_non_null(strstr(accept, "application/openmetrics-text;version=1.0.0"));
    assert_non_null(strstr(accept, "text/plain;version=0.0.4"));
    assert_string_equal(http_double_header(b.server, 0, "accept-encoding"), "gzip");
    assert_string_equal(http_double_header(b.server, 0, "authorization"), "Basic dTpw");
    assert_string_equal(
        http_double_header(b.server, 0, "x-prometheus-scrape-timeout-seconds"), "7.5");
    teardown(&b);
}

static void the_content_type_decides_how_a_page_is_read(void **state)
{
    (void)state;
    bench b;
    setup(&b, OPENMETRICS("a_total 3 1732182005.5\n# EOF\n"), false, "");
    turn_until(&b, has_events, 4);
    assert_true(number(event(&b, "a_total", 0), "time") == 1732182005500);
    teardown(&b);
    setup(&b, OPENMETRICS("a_total 3\n"), false, "");
    turn_until(&b, has_events, 3);
    assert_non_null(strstr(text(event(&b, "up", 0), "error"), "# EOF is missing"));
    teardown(&b);
}

static void labels_that_would_hide_other_fields_get_another_name(void **state)
{
    (void)state;
    bench b;
    setup(&b,
          TEXT("a{name=\"n\",time=\"t\",instance=\"i\",exported_instance=\"e\","
               "job=\"j\"} 1\n"),
          false, "");
    turn_until(&b, has_events, 4);
    const json_t *e = event(&b, "a", 0);
    assert_int_equal(json_object_size(e), 10);
    assert_string_equal(text(e, "label_name"), "n");
    assert_string_equal(text(e, "label_time"), "t");
    assert_string_equal(text(e, "exported_job"), "j");
    assert_string_equal(text(e, "exported_exported_instance"), "i");
    assert_string_equal(text(e, "exported_instance"), "e");
    assert_string_equal(text(e, "instance"), instance_of(&b));
    teardown(&b);
}

/* ---- polls that fail ---- */

static void a_poll_that_fails_is_an_event_that_says_why(void **state)
{
    (void)state;
    fails("HTTP/1.1 500 X\r\nContent-Length: 4\r\n\r\noops", false, "", "500: oops");
    fails("HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", false, "", "302");
    fails(HTTP_CLOSE, false, "", "Empty reply");
    fails(HTTP_HANG, false, ", \"timeout\": \"300ms\"", "timed out");
    fails("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\na 1\n", false, "",
          "transfer closed");
    fails(TEXT("<html>\n"), false, "", "line 1, column 1");
}

static void half_a_page_is_no_page(void **state)
{
    (void)state;
    fails(TEXT("a{only_on_the_page=\"1\"} 1\nb{\n"), false, "", "line 2, column 3");
    fails(TEXT("a{only_on_the_page=\"1\"} 1\nb 1\nc 1\n"), false, ", \"sample_limit\": 2",
          "more than 2 samples");
}

static void a_page_larger_than_max_body_is_refused(void **state)
{
    (void)state;
    static char page[4096] = TEXT("a{only_on_the_page=\"1\"} 1\n# ");
    memset(page + strlen(page), 'x', 2000);
    fails(page, false, ", \"max_body\": 1024", "more than 1024 bytes");
    page[strlen(TEXT("")) + 1024] = '\0';
    bench b;
    setup(&b, page, false, ", \"max_body\": 1024");
    turn_until(&b, has_events, 1);
    assert_string_equal(text(event(&b, "a", 0), "only_on_the_page"), "1");
    teardown(&b);
}

static bool has_trouble(bench *b, size_t n)
{
    (void)n;
    return b->host.trouble[0] != '\0';
}

static void a_target_that_is_down_is_trouble_until_it_comes_back(void **state)
{
    (void)state;
    bench b = {.answers = {"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n",
                           "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", TEXT("a 1\n")}};
    setup_often(&b, 500);
    turn_until(&b, has_trouble, 1);
    assert_non_null(strstr(b.host.trouble, "cannot be polled: 503"));
    turn_until(&b, has_events, 10);
    assert_string_equal(b.host.trouble, "");
    assert_true(number(event(&b, "up", 1), "value") == 0);
    assert_true(number(event(&b, "up", 2), "value") == 1);
    assert_int_equal(fake_host_metric(&b.host, "targets_up"), 1);
    assert_non_null(strstr(b.host.logged, "is polled"));
    teardown(&b);
}

/* ---- when ---- */

static void a_target_keeps_its_place_in_the_interval(void **state)
{
    (void)state;
    int64_t offset = schedule_offset_ms("http://a:1/metrics", 15000);
    assert_in_range(offset, 0, 14999);
    assert_int_equal(schedule_offset_ms("http://a:1/metrics", 15000), offset);
    assert_int_equal(schedule_next_ms(1732182000000 + offset, 15000, offset),
                     1732182015000 + offset);
    assert_int_equal(schedule_next_ms(1732182000000 + offset - 1, 15000, offset),
                     1732182000000 + offset);
    assert_int_equal(schedule_next_ms(0, 10, 3), 3);
    assert_int_equal(schedule_next_ms(-5, 10, 3), 3);
}

static void targets_are_spread_over_the_interval(void **state)
{
    (void)state;
    int per_tenth[10] = {0};
    for (int i = 0; i < 1000; i++) {
        char *url = tw_asprintf("http://10.0.0.%d:9100/metrics", i);
        per_tenth[schedule_offset_ms(url, 30000) / 3000]++;
        tw_free(url);
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(per_tenth[i], 60, 140);
}

static void a_lane_that_does_not_take_what_it_has_makes_ticks_be_skipped(void **state)
{
    (void)state;
    bench b = {.answers = {TEXT("a 1\n")}};
    setup_often(&b, 100);
    turn_until(&b, has_polled, 1);
    size_t skipped = (size_t)fake_host_metric(&b.host, "polls_skipped_total");
    turn_until(&b, has_skipped, skipped + 3);
    assert_int_equal(fake_host_metric(&b.host, "polls_total"), 1);
    assert_true(http_double_count(b.server) <= 1);
    poll_feed(&b);
    turn_until(&b, has_polled, 2);
    teardown(&b);
}

typedef struct lane {
    bench *b;
    atomic_bool enough, in_order;
    atomic_size_t frames;
} lane;

static void *run_lane(void *arg)
{
    lane *l = arg;
    tw_feed *feed = l->b->host.feeds[0];
    tw_frame frames[2];

    while (!l->enough) {
        int n = l->b->type->poll(feed, frames, 2);
        for (int i = 0; i < n; i++) {
            if (frames[i].offset != (int64_t)l->frames++ || frames[i].data[0] != '[')
                l->in_order = false;
        }
        l->b->type->release(feed, frames, n);
    }
    return NULL;
}

static void a_lane_of_its_own_gets_each_frame_once_and_in_order(void **state)
{
    (void)state;
    bench b = {.answers = {TEXT("a 1\nb 1 1732182005123\nc 1 1732182005124\n")}};
    lane l = {.b = &b, .in_order = true};
    pthread_t thread;
    setup_often(&b, 10);
    assert_int_equal(pthread_create(&thread, NULL, run_lane, &l), 0);
    turn_until(&b, has_polled, 20);
    l.enough = true;
    pthread_join(thread, NULL);
    assert_true(l.in_order);
    assert_true(l.frames >= 19); /* a poll gives four, or one when it fails */
    b.frames = l.frames;
    teardown(&b);
}

static void the_lane_is_woken(void **state)
{
    (void)state;
    bench b;
    uint64_t count = 0;
    setup(&b, TEXT("a 1\n"), false, "");
    turn_until(&b, has_polled, 1);
    assert_int_equal(read(b.host.wake_fd, &count, sizeof count), sizeof count);
    assert_int_equal(b.host.feeds_ended, 0);
    teardown(&b);
}

static void stopping_leaves_an_open_request_without_an_event(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_HANG, false, "");
    for (int64_t end_ms = tw_mono_ms() + PATIENCE_MS;
         http_double_count(b.server) == 0 && tw_mono_ms() < end_ms;)
        tw_loop_turn(b.host.loop, false);
    assert_int_equal(http_double_count(b.server), 1);
    teardown(&b);
    assert_int_equal(b.frames, 0);
}

/* ---- settings ---- */

static void refused(const char *settings, const char *const *topics, const char *expected)
{
    fake_host f;
    tw_refusal refusal = {.size = sizeof refusal};
    size_t count = 0;

    while (topics[count])
        count++;
    fake_host_init(&f, "prometheus", "metrics", settings);
    assert_null(
        fake_host_source_type(&f, "prometheus")->open(&f.host, topics, count, &refusal));
    if (!strstr(refusal.text, expected))
        fail_msg("\"%s\" does not say \"%s\"", refusal.text, expected);
    fake_host_done(&f);
}

static void settings_that_make_no_sense_are_refused_by_name(void **state)
{
    (void)state;
    const char *one[] = {"m", NULL}, *two[] = {"m", "n", NULL};
    refused("{}", one, "neither 'targets' nor 'queries'");
    refused("{\"targets\": [\"\"]}", one, "a target has no 'url'");
    refused("{\"targets\": [{\"labels\": {}}]}", one, "a target has no 'url'");
    refused("{\"targets\": [{\"uri\": \"a\"}]}", one, "there is no setting 'uri'");
    refused("{\"targets\": [\"ftp://a/\"]}", one, "only http and https");
    refused("{\"targets\": [\"169.254.169.254\"]}", one, "link-local");
    refused("{\"targets\": [\"http://u:p@a/\"]}", one, "'basic_auth'");
    refused("{\"targets\": [\"a:1\", \"http://a:1/metrics\"]}", one, "is listed twice");
    refused("{\"targets\": [\"a\"], \"labels\": {\"time\": \"x\"}}", one,
            "'time' cannot be a label");
    refused("{\"targets\": [\"a\"], \"interval\": \"5s\", \"timeout\": \"6s\"}", one,
            "'timeout' must not be longer than 'interval'");
    refused("{\"targets\": [\"a\"], \"interval\": \"0s\"}", one, "at least 10ms");
    refused("{\"targets\": [\"a\"], \"timeout\": \"0s\"}", one, "must not be 0");
    refused("{\"queries\": {\"q\": \"up\"}}", one, "needs a 'server'");
    refused("{\"server\": \"a\", \"queries\": {\"q\": {}}}", one, "no 'query'");
    refused("{\"server\": \"a\", \"queries\": {\"\": \"up\"}}", one, "has no name");
    refused("{\"targets\": [\"a\"]}", two, "needs a 'topic'");
    refused("{\"targets\": [{\"url\": \"a\", \"topic\": \"x\"}]}", one,
            "no stream reads the topic 'x'");
    refused("{\"targets\": [{\"url\": \"a\", \"topic\": \"m\"}]}", two,
            "nothing is polled for the topic 'n'");
}

static void targets_and_queries_go_to_their_topics_a_feed_each(void **state)
{
    (void)state;
    const char *topics[] = {"pages", "answers"};
    tw_refusal refusal = {.size = sizeof refusal};
    fake_host f;
    fake_host_init(&f, "prometheus", "metrics",
                   "{\"targets\": [{\"url\": \"127.0.0.1:1\", \"topic\": \"pages\"}], "
                   "\"server\": \"127.0.0.1:1\", \"interval\": \"1h\", \"queries\": "
                   "{\"q\": {\"query\": \"up\", \"topic\": \"answers\"}}}");
    const tw_source_type *type = fake_host_source_type(&f, "prometheus");
    void *source = type->open(&f.host, topics, 2, &refusal);
    assert_non_null(source);
    assert_int_equal(type->start(source, &refusal), 0);
    assert_int_equal(f.feed_count, 2);
    assert_string_equal(f.topics[0], "pages");
    assert_string_equal(f.topics[1], "answers");
    type->stop(source);
    type->close(source);
    fake_host_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_is_an_event_with_its_labels_as_fields),
        cmocka_unit_test(
            a_sample_has_its_own_time_or_that_of_the_poll_and_so_has_its_frame),
        cmocka_unit_test(a_poll_says_how_it_went),
        cmocka_unit_test(the_request_says_what_is_understood),
        cmocka_unit_test(the_content_type_decides_how_a_page_is_read),
        cmocka_unit_test(labels_that_would_hide_other_fields_get_another_name),
        cmocka_unit_test(a_poll_that_fails_is_an_event_that_says_why),
        cmocka_unit_test(half_a_page_is_no_page),
        cmocka_unit_test(a_page_larger_than_max_body_is_refused),
        cmocka_unit_test(a_target_that_is_down_is_trouble_until_it_comes_back),
        cmocka_unit_test(a_target_keeps_its_place_in_the_interval),
        cmocka_unit_test(targets_are_spread_over_the_interval),
        cmocka_unit_test(a_lane_that_does_not_take_what_it_has_makes_ticks_be_skipped),
        cmocka_unit_test(a_lane_of_its_own_gets_each_frame_once_and_in_order),
        cmocka_unit_test(the_lane_is_woken),
        cmocka_unit_test(stopping_leaves_an_open_request_without_an_event),
        cmocka_unit_test(settings_that_make_no_sense_are_refused_by_name),
        cmocka_unit_test(targets_and_queries_go_to_their_topics_a_feed_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
