// SPDX-License-Identifier: Apache-2.0
/* Tests of plugins/webhook against a strict receiver: the forms of a body, signatures and
 * what each answer means.
 * ctest: threads */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"
#include "http_double.h"

typedef struct bench {
    fake_host host;
    http_double *receiver;
    const tw_sink_type *type;
    void *sink;
    char settings[1024];
    tw_record record;
    const tw_record *records[1];
    tw_delivery delivery;
} bench;

static void setup(bench *b, const char *answer, const char *more_settings)
{
    static const char *answers[1];
    char why[512] = "";

    *b = (bench){.record = fake_alert("id-1", "errors:cart", false, "crit")};
    answers[0] = answer;
    b->receiver = http_double_new(answers, 1);
    snprintf(b->settings, sizeof b->settings, "{\"url\": \"%s/hook?a=1\"%s}",
             http_double_url(b->receiver), more_settings);
    fake_host_init(&b->host, "webhook", "pager", b->settings);
    b->type = fake_host_sink_type(&b->host, "webhook");
    b->sink = fake_host_sink(&b->host, b->type, why, sizeof why);
    if (!b->sink)
        fail_msg("%s", why);
    b->records[0] = &b->record;
    b->delivery = (tw_delivery){
        .size = sizeof b->delivery, .records = b->records, .count = 1, .attempt = 1};
}

static void teardown(bench *b)
{
    fake_host_end_sink(&b->host, b->type, b->sink);
    assert_null(http_double_fault(b->receiver));
    http_double_free(b->receiver);
    fake_host_done(&b->host);
}

static const fake_answer *deliver(bench *b)
{
    size_t before = b->host.answer_count;

    b->type->deliver(b->sink, &b->delivery);
    if (!fake_host_wait(&b->host, before + 1))
        fail_msg("no answer");
    return &b->host.answers[before];
}

/* The class of the sink's answer to this answer of the receiver. */
static fake_answer answer_to(const char *raw, const char *more_settings)
{
    bench b;
    setup(&b, raw, more_settings);
    fake_answer a = *deliver(&b);
    assert_int_equal(http_double_count(b.receiver), 1);
    teardown(&b);
    return a;
}

#define ANSWER(status, headers)                                                          \
    "HTTP/1.1 " status "\r\n" headers "Content-Length: 4\r\n\r\nwhy?"

/* ---- the body ---- */

static const char *text(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static void the_body_is_version_4_of_alertmanagers(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, ", \"external_url\": \"https://tw.example/\"");
    assert_int_equal(deliver(&b)->answer, TW_ANSWER_DONE);
    assert_string_equal(http_double_target(b.receiver, 0), "/hook?a=1");
    assert_string_equal(http_double_header(b.receiver, 0, "content-type"),
                        "application/json");
    json_t *o = json_loads(http_double_body(b.receiver, 0), 0, NULL);
    assert_non_null(o);
    assert_string_equal(text(o, "version"), "4");
    assert_string_equal(text(o, "status"), "firing");
    assert_string_equal(text(o, "receiver"), "pager");
    assert_string_equal(text(o, "groupKey"), "{}:{incident=\"errors:cart\"}");
    assert_string_equal(text(o, "externalURL"), "https://tw.example/");
    assert_int_equal(json_integer_value(json_object_get(o, "truncatedAlerts")), 0);
    assert_string_equal(text(json_object_get(o, "groupLabels"), "incident"),
                        "errors:cart");
    json_t *labels = json_object_get(o, "commonLabels");
    assert_string_equal(text(labels, "alertname"), "team/errors");
    assert_string_equal(text(labels, "severity"), "crit");
    assert_string_equal(text(labels, "service"), "cart");
    assert_string_equal(text(json_object_get(o, "commonAnnotations"), "title"),
                        "cart fails");
    assert_string_equal(text(json_object_get(o, "commonAnnotations"), "summary"),
                        "cart fails");
    assert_int_equal(json_array_size(json_object_get(o, "alerts")), 1);
    json_t *alert = json_array_get(json_object_get(o, "alerts"), 0);
    assert_true(json_equal(json_object_get(alert, "labels"), labels));
    assert_string_equal(text(alert, "startsAt"), "2024-11-21T09:40:00.000Z");
    assert_string_equal(text(alert, "endsAt"), "0001-01-01T00:00:00Z");
    assert_string_equal(text(alert, "generatorURL"),
                        "https://tw.example/incidents/errors%3Acart");
    assert_int_equal(strlen(text(alert, "fingerprint")), 16);
    json_decref(o);
    teardown(&b);
}

static void label_names_fit_and_empty_labels_are_left_out(void **state)
{
    (void)state;
    bench b;
    const tw_pair labels[] = {
        {"0day", "x"}, {"empty", ""}, {"service.name", "cart"}, {"severity", "page"}};
    setup(&b, HTTP_OK, "");
    b.record.labels = labels;
    b.record.label_count = 4;
    deliver(&b);
    json_t *o = json_loads(http_double_body(b.receiver, 0), 0, NULL);
    json_t *got = json_object_get(o, "commonLabels");
    assert_string_equal(text(got, "service_name"), "cart");
    assert_string_equal(text(got, "_0day"), "x");
    assert_null(json_object_get(got, "empty"));
    assert_string_equal(text(got, "severity"), "page");
    json_decref(o);
    teardown(&b);
}

static void a_resolve_says_when_it_ended(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, "");
    b.record = fake_alert("id-2", "errors:cart", true, "crit");
    deliver(&b);
    json_t *o = json_loads(http_double_body(b.receiver, 0), 0, NULL);
    assert_string_equal(text(o, "status"), "resolved");
    assert_string_equal(text(json_array_get(json_object_get(o, "alerts"), 0), "endsAt"),
                        "2024-11-21T09:40:05.000Z");
    json_decref(o);
    teardown(&b);
}

static void json_is_the_record_as_it_is(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, ", \"format\": \"json\"");
    deliver(&b);
    assert_string_equal(http_double_body(b.receiver, 0), "{\"type\":\"notification\"}");
    teardown(&b);
}

static void a_cloudevent_has_what_the_specification_requires(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, ", \"format\": \"cloudevents\"");
    deliver(&b);
    assert_string_equal(http_double_header(b.receiver, 0, "content-type"),
                        "application/cloudevents+json");
    json_t *o = json_loads(http_double_body(b.receiver, 0), 0, NULL);
    assert_string_equal(text(o, "specversion"), "1.0");
    assert_string_equal(text(o, "id"), "id-1");
    assert_string_equal(text(o, "type"), "tidewatch.alert.firing");
    assert_true(strlen(text(o, "source")) > 0);
    assert_string_equal(text(json_object_get(o, "data"), "type"), "notification");
    json_decref(o);
    teardown(&b);
}

static void headers_and_the_bearer_token_travel_along(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, ", \"headers\": {\"X-Team\": \"ops\"}, \"bearer_token\": \"t0k\"");
    deliver(&b);
    assert_string_equal(http_double_header(b.receiver, 0, "x-team"), "ops");
    assert_string_equal(http_double_header(b.receiver, 0, "authorization"), "Bearer t0k");
    teardown(&b);
}

static void a_user_and_a_password_travel_as_basic_authentication(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK,
          ", \"basic_auth\": {\"username\": \"ann\", \"password\": \"s:cret\"}");
    deliver(&b);
    assert_string_equal(http_double_header(b.receiver, 0, "authorization"),
                        "Basic YW5uOnM6Y3JldA==");
    teardown(&b);
}

static void a_token_file_is_read_again_for_each_request(void **state)
{
    (void)state;
    bench b;
    char path[] = "webhook_token_XXXXXX", more[128];
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");

    fputs("first\n", file);
    fclose(file);
    snprintf(more, sizeof more, ", \"bearer_token_file\": \"%s\"", path);
    setup(&b, HTTP_OK, more);
    deliver(&b);
    file = fopen(path, "w");
    fputs("second", file);
    fclose(file);
    deliver(&b);
    remove(path);
    assert_int_equal(deliver(&b)->answer, TW_ANSWER_RETRY);
    assert_string_equal(http_double_header(b.receiver, 0, "authorization"),
                        "Bearer first");
    assert_string_equal(http_double_header(b.receiver, 1, "authorization"),
                        "Bearer second");
    teardown(&b);
}

/* ---- signatures ---- */

/* The digests are those of Python's hmac over "id-1.1614265330.{...}". */
static void requests_are_signed_with_every_secret_and_keep_their_id(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK,
          ", \"format\": \"json\", \"secret\": ["
          "\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\", "
          "\"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"]");
    b.host.now_ms = 1614265330000;
    deliver(&b);
    b.delivery.attempt = 2;
    b.host.now_ms += 60000;
    deliver(&b);
    assert_string_equal(http_double_header(b.receiver, 0, "webhook-id"), "id-1");
    assert_string_equal(http_double_header(b.receiver, 1, "webhook-id"), "id-1");
    assert_string_equal(http_double_header(b.receiver, 0, "webhook-timestamp"),
                        "1614265330");
    assert_string_equal(http_double_header(b.receiver, 0, "webhook-signature"),
                        "v1,iLZ7hWs7VP2PivT3XYiz2iNNTRZ4NjAL4lgneQajgQ0= "
                        "v1,+rDPaY2PPa9zxBBPkbwAkolymOeZYsQXtSPY/aoZnUM=");
    assert_string_equal(http_double_header(b.receiver, 1, "webhook-timestamp"),
                        "1614265390");
    assert_string_not_equal(http_double_header(b.receiver, 1, "webhook-signature"),
                            http_double_header(b.receiver, 0, "webhook-signature"));
    assert_string_equal(http_double_body(b.receiver, 0), http_double_body(b.receiver, 1));
    teardown(&b);
}

/* ---- answers ---- */

static void a_2xx_is_done(void **state)
{
    (void)state;
    assert_int_equal(answer_to(ANSWER("204 No Content", ""), "").answer, TW_ANSWER_DONE);
    assert_int_equal(answer_to(ANSWER("202 Accepted", ""), "").answer, TW_ANSWER_DONE);
}

static void what_may_pass_is_tried_again(void **state)
{
    (void)state;
    fake_answer a = answer_to(ANSWER("500 Oops", ""), "");
    assert_int_equal(a.answer, TW_ANSWER_RETRY);
    assert_string_equal(a.text, "500: why?");
    assert_int_equal(answer_to(ANSWER("503 Busy", ""), "").answer, TW_ANSWER_RETRY);
    assert_int_equal(answer_to(ANSWER("408 Slow", ""), "").answer, TW_ANSWER_RETRY);
    assert_int_equal(answer_to(HTTP_CLOSE, "").answer, TW_ANSWER_RETRY);
    assert_int_equal(answer_to("no HTTP at all", "").answer, TW_ANSWER_RETRY);
}

static void retry_after_is_read_in_seconds_and_as_a_date(void **state)
{
    (void)state;
    fake_answer a = answer_to(ANSWER("429 Slow down", "Retry-After: 120\r\n"), "");
    assert_int_equal(a.answer, TW_ANSWER_RETRY);
    assert_int_equal(a.retry_after_ms, 120000);

    char raw[256], date[64];
    time_t then = time(NULL) + 300;
    struct tm at;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &at));
    snprintf(raw, sizeof raw,
             "HTTP/1.1 429 X\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
    a = answer_to(raw, "");
    assert_in_range(a.retry_after_ms, 290000, 301000);
    a = answer_to(ANSWER("429 No", "Retry-After: 9223372036854775807\r\n"), "");
    assert_int_equal(a.retry_after_ms, 21600000);
}

static void an_answer_cut_in_the_middle_is_tried_again(void **state)
{
    (void)state;
    fake_answer a =
        answer_to("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", "");
    assert_int_equal(a.answer, TW_ANSWER_RETRY);
    a = answer_to("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf", "");
    assert_int_equal(a.answer, TW_ANSWER_RETRY);
    assert_int_equal(answer_to("HTTP/1.1 200 O", "").answer, TW_ANSWER_RETRY);
}

static void a_head_that_does_not_end_is_cut_off_and_tried_again(void **state)
{
    (void)state;
    char *raw = NULL;
    size_t size;
    FILE *f = open_memstream(&raw, &size);

    fputs("HTTP/1.1 200 OK\r\n", f);
    for (int i = 0; i < 20000; i++)
        fputs("X-Filler: 0123456789abcdef\r\n", f);
    fputs("Content-Length: 0\r\n\r\n", f);
    fclose(f);
    fake_answer a = answer_to(raw, "");
    assert_int_equal(a.answer, TW_ANSWER_RETRY);
    assert_string_equal(a.text, "the head of the answer does not end");
    free(raw);
}

static void a_receiver_that_hangs_runs_into_the_timeout(void **state)
{
    (void)state;
    fake_answer a = answer_to(HTTP_HANG, ", \"timeout\": \"200ms\"");
    assert_int_equal(a.answer, TW_ANSWER_RETRY);
    assert_non_null(strstr(a.text, "timed out"));
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    bench b, other;
    char raw[256];
    setup(&other, HTTP_OK, "");
    snprintf(raw, sizeof raw,
             "HTTP/1.1 301 Moved\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n",
             http_double_url(other.receiver));
    setup(&b, raw, "");
    assert_int_equal(deliver(&b)->answer, TW_ANSWER_DROP);
    assert_int_equal(http_double_count(other.receiver), 0);
    teardown(&b);
    teardown(&other);
}

static void a_receiver_that_is_gone_is_switched_off_and_a_refusal_dropped(void **state)
{
    (void)state;
    assert_int_equal(answer_to(ANSWER("410 Gone", ""), "").answer, TW_ANSWER_DISABLE);
    assert_int_equal(answer_to(ANSWER("400 Bad", ""), "").answer, TW_ANSWER_DROP);
    assert_int_equal(answer_to(ANSWER("404 Not there", ""), "").answer, TW_ANSWER_DROP);
}

static void nobody_listening_is_tried_again(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, "");
    http_double_free(b.receiver);
    assert_int_equal(deliver(&b)->answer, TW_ANSWER_RETRY);
    fake_host_end_sink(&b.host, b.type, b.sink);
    fake_host_done(&b.host);
}

static void stopping_answers_what_is_open(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_HANG, "");
    b.type->deliver(b.sink, &b.delivery);
    for (int i = 0; i < 1000 && http_double_count(b.receiver) == 0; i++)
        tw_loop_turn(b.host.loop, false);
    fake_host_end_sink(&b.host, b.type, b.sink);
    assert_int_equal(b.host.answer_count, 1);
    assert_int_equal(b.host.answers[0].answer, TW_ANSWER_RETRY);
    http_double_free(b.receiver);
    fake_host_done(&b.host);
}

/* ---- settings ---- */

static void refused(const char *settings, const char *expected)
{
    fake_host f;
    char why[512] = "";

    fake_host_init(&f, "webhook", "pager", settings);
    assert_null(fake_host_sink(&f, fake_host_sink_type(&f, "webhook"), why, sizeof why));
    if (!strstr(why, expected))
        fail_msg("\"%s\" does not say \"%s\"", why, expected);
    fake_host_done(&f);
}

static void metadata_addresses_are_refused_unless_allowed(void **state)
{
    (void)state;
    refused("{\"url\": \"http://169.254.169.254/latest\"}", "link-local");
    refused("{\"url\": \"http://[fe80::1]/\"}", "link-local");
    refused("{\"url\": \"http://[::ffff:169.254.169.254]/\"}", "link-local");
    refused("{\"url\": \"http://[fd00:ec2::254]/\"}", "link-local");
    /* curl reads these as IPv4, in whatever form they are written */
    refused("{\"url\": \"http://0xa9fea9fe/\"}", "link-local");

    fake_host f;
    char why[512] = "";
    fake_host_init(&f, "webhook", "pager",
                   "{\"url\": \"http://169.254.169.254/\", \"allow_link_local\": true}");
    const tw_sink_type *type = fake_host_sink_type(&f, "webhook");
    void *sink = fake_host_sink(&f, type, why, sizeof why);
    assert_non_null(sink);
    fake_host_end_sink(&f, type, sink);
    fake_host_done(&f);
}

static void settings_that_make_no_sense_are_refused_by_name(void **state)
{
    (void)state;
    refused("{}", "the setting 'url' is missing");
    refused("{\"url\": \"nonsense\"}",
            "'nonsense' is no URL; it has to begin with http://");
    refused("{\"url\": \"ftp://a/\"}", "only http and https");
    refused("{\"url\": \"http://a/\", \"secret\": \"abc\"}", "whsec_");
    refused("{\"url\": \"http://a/\", \"secret\": \"whsec_c2hvcnQ=\"}", "24 to 64 bytes");
    refused("{\"url\": \"http://a/\", \"timeout\": \"soon\"}",
            "'timeout' is no duration");
    refused("{\"url\": \"http://a/\", \"tls\": {\"cafile\": \"x\"}}",
            "there is no setting 'cafile'; there are: ca, cert, key, insecure");
    refused("{\"url\": \"http://a/\", \"tls\": {\"ca\": \"not/there\"}}",
            "not/there: No such file");
    refused("{\"url\": \"http://a/\", \"headers\": {\"X\": \"a\\r\\nY: b\"}}",
            "line break");
    refused("{\"url\": \"http://a/\", \"bearer_token\": \"x\", \"basic_auth\": "
            "{\"username\": \"a\"}}",
            "there can be only one");
    refused("{\"url\": \"http://a/\", \"basic_auth\": {\"password\": \"a\"}}",
            "no 'username'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_is_version_4_of_alertmanagers),
        cmocka_unit_test(label_names_fit_and_empty_labels_are_left_out),
        cmocka_unit_test(a_resolve_says_when_it_ended),
        cmocka_unit_test(json_is_the_record_as_it_is),
        cmocka_unit_test(a_cloudevent_has_what_the_specification_requires),
        cmocka_unit_test(headers_and_the_bearer_token_travel_along),
        cmocka_unit_test(a_user_and_a_password_travel_as_basic_authentication),
        cmocka_unit_test(a_token_file_is_read_again_for_each_request),
        cmocka_unit_test(requests_are_signed_with_every_secret_and_keep_their_id),
        cmocka_unit_test(a_2xx_is_done),
        cmocka_unit_test(what_may_pass_is_tried_again),
        cmocka_unit_test(retry_after_is_read_in_seconds_and_as_a_date),
        cmocka_unit_test(an_answer_cut_in_the_middle_is_tried_again),
        cmocka_unit_test(a_head_that_does_not_end_is_cut_off_and_tried_again),
        cmocka_unit_test(a_receiver_that_hangs_runs_into_the_timeout),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(a_receiver_that_is_gone_is_switched_off_and_a_refusal_dropped),
        cmocka_unit_test(nobody_listening_is_tried_again),
        cmocka_unit_test(stopping_answers_what_is_open),
        cmocka_unit_test(metadata_addresses_are_refused_unless_allowed),
        cmocka_unit_test(settings_that_make_no_sense_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
