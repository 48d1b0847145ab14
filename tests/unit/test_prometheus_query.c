// SPDX-License-Identifier: Apache-2.0
/* Tests of the queries of plugins/prometheus: how they are asked, and what an answer becomes.
 * ctest: threads */
#include "poller_fixture.h"

static void a_query_is_posted_as_a_form(void **state)
{
    (void)state;
    bench b;
    setup(&b, JSON("{}"), true, ", \"bearer_token\": \"t\", \"sample_limit\": 5");
    turn_until(&b, has_polled, 1);
    assert_string_equal(http_double_target(b.server, 0), "/api/v1/query");
    assert_string_equal(http_double_header(b.server, 0, "content-type"),
                        "application/x-www-form-urlencoded");
    assert_string_equal(http_double_header(b.server, 0, "authorization"), "Bearer t");
    assert_string_equal(http_double_body(b.server, 0),
                        "query=sum%28a%2Bb%29%20%3E%201&timeout=9000ms&limit=5");
    teardown(&b);
}

static void each_element_of_a_vector_is_an_event_under_the_querys_name(void **state)
{
    (void)state;
    bench b;
    setup(&b,
          JSON("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
               "{\"metric\":{\"__name__\":\"x\",\"instance\":\"i\",\"value\":\"v\"},"
               "\"value\":[1732182005.123,\"0.25\"]},"
               "{\"metric\":{},\"value\":[1732182005,\"NaN\"]},"
               "{\"metric\":{\"a.\\\"b\":\"c\"},\"value\":[1732182005,\"-1e3\"]},"
               "{\"metric\":{},\"histogram\":[1732182005,{}]}]}}"),
          true, ", \"labels\": {\"team\": \"x\"}");
    turn_until(&b, has_events, 5);
    const json_t *e = event(&b, "q", 0);
    assert_int_equal(json_object_size(e), 6);
    assert_true(number(e, "value") == 0.25);
    assert_true(number(e, "time") == 1732182005123);
    assert_string_equal(text(e, "instance"), "i");
    assert_string_equal(text(e, "label_value"), "v");
    assert_string_equal(text(e, "team"), "x");
    assert_true(number(event(&b, "q", 1), "value") == -1000);
    assert_string_equal(text(event(&b, "q", 1), "a.\"b"), "c");
    const json_t *up = event(&b, "up", 0);
    assert_true(number(up, "value") == 1);
    assert_string_equal(text(up, "query"), "q");
    assert_string_equal(text(up, "instance"), instance_of(&b));
    assert_string_equal(text(up, "team"), "x");
    assert_true(number(event(&b, "scrape_samples_scraped", 0), "value") == 4);
    teardown(&b);
}

static void a_scalar_is_one_event_and_warnings_are_passed_on(void **state)
{
    (void)state;
    bench b;
    setup(&b,
          JSON("{\"status\":\"success\",\"warnings\":[\"one store is away\",\"more\"],"
               "\"infos\":[\"i\"],"
               "\"data\":{\"resultType\":\"scalar\",\"result\":[1732182005,\"7\"]}}"),
          true, "");
    turn_until(&b, has_events, 4);
    assert_true(number(event(&b, "q", 0), "value") == 7);
    assert_string_equal(text(event(&b, "q", 0), "warnings"), "one store is away; more");
    assert_string_equal(text(event(&b, "up", 0), "warnings"), "one store is away; more");
    teardown(&b);
}

static void a_query_that_is_not_answered_well_fails(void **state)
{
    (void)state;
    fails("HTTP/1.1 422 X\r\nConnection: close\r\n\r\n{\"status\":\"error\","
          "\"errorType\":\"execution\",\"error\":\"many-to-many\"}",
          true, "", "422: many-to-many");
    fails("HTTP/1.1 502 X\r\nContent-Length: 3\r\n\r\nbad", true, "",
          "502: the answer is not JSON");
    fails(JSON("{}"), true, "", "not an answer of the Prometheus API");
    fails(JSON("{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\","
               "\"result\":[]}}"),
          true, "", "gives a matrix; it must give a vector or a scalar");
    fails(JSON("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
               "{\"metric\":{\"only_on_the_page\":\"1\"},\"value\":[1732182005,\"1\"]},"
               "{\"metric\":{},\"value\":[1732182005,\"1x\"]}]}}"),
          true, "", "'1x' is not a number");
    fails(JSON("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
               "{\"metric\":{},\"value\":[1,\"1\"]},{\"metric\":{},\"value\":[1,\"1\"]}"
               "]}}"),
          true, ", \"sample_limit\": 1", "more than 1 samples");
    fails(JSON("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
               "{\"metric\":{\"a\":1},\"value\":[1,\"1\"]}]}}"),
          true, "", "the label 'a' is not text");
    fails(JSON("{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\","
               "\"result\":[1e300,\"1\"]}}"),
          true, "", "a time stamp is out of range");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_is_posted_as_a_form),
        cmocka_unit_test(each_element_of_a_vector_is_an_event_under_the_querys_name),
        cmocka_unit_test(a_scalar_is_one_event_and_warnings_are_passed_on),
        cmocka_unit_test(a_query_that_is_not_answered_well_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
