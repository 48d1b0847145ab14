// SPDX-License-Identifier: Apache-2.0
/* Tests of plugins/webhook over the life of an incident: what a receiver that knows alerts by their
 * labels makes of a level that changes.
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
    char settings[256];
} bench;

static void setup(bench *b, const char *const *answers, size_t count)
{
    char why[512] = "";

    *b = (bench){0};
    b->receiver = http_double_new(answers, count);
    snprintf(b->settings, sizeof b->settings, "{\"url\": \"%s/\"}",
             http_double_url(b->receiver));
    fake_host_init(&b->host, "webhook", "pager", b->settings);
    b->type = fake_host_sink_type(&b->host, "webhook");
    b->sink = fake_host_sink(&b->host, b->type, why, sizeof why);
    if (!b->sink)
        fail_msg("%s", why);
}

static void teardown(bench *b)
{
    fake_host_end_sink(&b->host, b->type, b->sink);
    assert_null(http_double_fault(b->receiver));
    http_double_free(b->receiver);
    fake_host_done(&b->host);
}

/* The message that goes out; its alerts as "status:severity" one after the other. */
static json_t *tell(bench *b, const char *level, bool resolved, const char *expected)
{
    tw_record r = fake_alert("id", "errors:cart", resolved, level);
    const tw_record *records[] = {&r};
    tw_delivery d = {.size = sizeof d, .records = records, .count = 1, .attempt = 1};
    size_t before = b->host.answer_count, at = 0;
    char told[256] = "";
    json_t *alert;

    b->type->deliver(b->sink, &d);
    if (!fake_host_wait(&b->host, before + 1))
        fail_msg("no answer");
    json_t *o = json_loads(http_double_body(b->receiver, before), 0, NULL);
    json_t *alerts = json_object_get(o, "alerts");
    for (size_t i = 0; i < json_array_size(alerts); i++) {
        const char *status, *severity;
        alert = json_array_get(alerts, i);
        assert_int_equal(json_unpack(alert, "{s:s, s:{s:s}}", "status", &status, "labels",
                                     "severity", &severity),
                         0);
        at += (size_t)snprintf(told + at, sizeof told - at, " %s:%s", status, severity);
    }
    assert_string_equal(told, expected);
    return o;
}

static const char *alert_text(json_t *message, size_t number, const char *name)
{
    return json_string_value(json_object_get(
        json_array_get(json_object_get(message, "alerts"), number), name));
}

static void a_level_that_changes_ends_the_alert_before_in_the_same_message(void **state)
{
    (void)state;
    static const char *const answers[] = {HTTP_OK};
    bench b;

    setup(&b, answers, 1);
    json_t *warn = tell(&b, "warn", false, " firing:warn");
    json_t *crit = tell(&b, "crit", false, " firing:crit resolved:warn");
    assert_string_equal(alert_text(crit, 1, "fingerprint"),
                        alert_text(warn, 0, "fingerprint"));
    assert_string_equal(alert_text(crit, 1, "startsAt"), "2024-11-21T09:40:00.000Z");
    assert_string_equal(alert_text(crit, 1, "endsAt"), "2024-11-21T09:40:05.000Z");
    assert_string_equal(json_string_value(json_object_get(crit, "status")), "firing");
    json_t *labels = json_object_get(crit, "commonLabels");
    assert_null(json_object_get(labels, "severity"));
    assert_string_equal(json_string_value(json_object_get(labels, "service")), "cart");
    json_decref(tell(&b, "crit", true, " resolved:crit"));
    json_decref(tell(&b, "warn", false, " firing:warn"));
    json_decref(crit);
    json_decref(warn);
    teardown(&b);
}

static void what_the_receiver_did_not_take_is_not_ended(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", HTTP_OK,
        "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", HTTP_OK};
    bench b;

    setup(&b, answers, 4);
    json_decref(tell(&b, "info", false, " firing:info"));
    json_decref(tell(&b, "warn", false, " firing:warn"));
    json_t *first = tell(&b, "crit", false, " firing:crit resolved:warn");
    json_t *again = tell(&b, "crit", false, " firing:crit resolved:warn");
    assert_true(json_equal(first, again));
    json_decref(first);
    json_decref(again);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_that_changes_ends_the_alert_before_in_the_same_message),
        cmocka_unit_test(what_the_receiver_did_not_take_is_not_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
