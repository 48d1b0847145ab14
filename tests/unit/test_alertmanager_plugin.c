// SPDX-License-Identifier: Apache-2.0
/* Tests of plugins/alertmanager against strict receivers: what an alert looks like, who is
 * told, what each answer means.
 * ctest: threads */
#include "alertmanager_bench.h"

/* ---- what an alert looks like ---- */

static void an_alert_is_its_labels_and_ends_four_resends_from_now(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK,
          ", \"labels\": {\"site\": \"fra\", \"zone\": \"never\"}, "
          "\"external_url\": \"https://tw.example\"");
    assert_int_equal(deliver_one(&b, "errors:cart", false, "crit")->answer,
                     TW_ANSWER_DONE);
    assert_string_equal(http_double_target(b.receivers[0], 0), "/am/api/v2/alerts");
    assert_string_equal(http_double_header(b.receivers[0], 0, "content-type"),
                        "application/json");
    assert_label(&b, 0, "alertname", "team/errors");
    assert_label(&b, 0, "severity", "crit");
    assert_label(&b, 0, "incident", "errors:cart");
    assert_label(&b, 0, "service", "cart");
    assert_label(&b, 0, "site", "fra");
    assert_label(&b, 0, "zone", "eu");
    assert_alert(&b, 0, "startsAt", "2024-11-21T09:40:00.000Z");
    assert_alert(&b, 0, "endsAt", "2024-11-21T09:44:10.000Z");
    assert_alert(&b, 0, "generatorURL", "https://tw.example/incidents/errors%3Acart");
    json_t *array = body(&b, 0, 0);
    assert_string_equal(
        text(json_object_get(json_array_get(array, 0), "annotations"), "title"),
        "cart fails");
    json_decref(array);
    teardown(&b);
}

static void an_end_lies_in_the_past_and_after_its_beginning(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, "");
    tw_record r = fake_alert("id", "a", true, "crit");
    r.ends_at_ms = NOW + 60000;
    deliver(&b, &r, 1);
    assert_alert(&b, 0, "endsAt", "2024-11-21T09:40:10.000Z");
    r = fake_alert("id", "b", true, "crit");
    r.ends_at_ms = r.starts_at_ms - 3000;
    deliver(&b, &r, 1);
    assert_alert(&b, 1, "startsAt", "2024-11-21T09:39:57.000Z");
    assert_alert(&b, 1, "endsAt", "2024-11-21T09:39:57.000Z");
    r = fake_alert("id", "c", false, "crit");
    r.starts_at_ms = NOW + 3600000;
    deliver(&b, &r, 1);
    assert_alert(&b, 2, "startsAt", "2024-11-21T09:40:10.000Z");
    teardown(&b);
}

static void names_of_labels_fit_unless_told_otherwise(void **state)
{
    (void)state;
    bench b;
    const tw_pair labels[] = {{"empty", ""}, {"service.name", "cart"}};
    tw_record r = fake_alert("id", "a", false, "crit");
    r.labels = labels;
    r.label_count = 2;
    setup(&b, HTTP_OK, "");
    deliver(&b, &r, 1);
    assert_label(&b, 0, "service_name", "cart");
    assert_null(strstr(http_double_body(b.receivers[0], 0), "empty"));
    teardown(&b);
    setup(&b, HTTP_OK, ", \"utf8_labels\": true");
    deliver(&b, &r, 1);
    assert_label(&b, 0, "service.name", "cart");
    teardown(&b);
}

static void one_alert_told_twice_in_a_batch_is_sent_once_as_it_is_last(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, "");
    tw_record records[] = {fake_alert("1", "a", false, "crit"),
                           fake_alert("2", "b", false, "crit"),
                           fake_alert("3", "a", true, "crit")};
    assert_int_equal(deliver(&b, records, 3)->answer, TW_ANSWER_DONE);
    json_t *array = body(&b, 0, 0);
    assert_int_equal(json_array_size(array), 2);
    assert_string_equal(text(json_array_get(array, 0), "endsAt"),
                        "2024-11-21T09:40:05.000Z");
    json_decref(array);
    teardown(&b);
}

/* ---- several ---- */

static void every_member_is_told_and_one_that_takes_it_is_enough(void **state)
{
    (void)state;
    bench b;
    const char *bad[] = {ANSWER("500 Oops")};
    setup2(&b, bad, 1, HTTP_OK, "");
    assert_int_equal(deliver_one(&b, "a", false, "crit")->answer, TW_ANSWER_DONE);
    await_requests(&b, 0, 1);
    assert_string_equal(http_double_target(b.receivers[1], 0), "/api/v2/alerts");
    assert_string_equal(http_double_body(b.receivers[0], 0),
                        http_double_body(b.receivers[1], 0));
    teardown(&b);
}

static void a_member_that_hangs_holds_nobody(void **state)
{
    (void)state;
    bench b;
    const char *hangs[] = {HTTP_HANG};
    setup2(&b, hangs, 1, HTTP_OK, ", \"timeout\": \"1h\"");
    for (int i = 0; i < 12; i++)
        assert_int_equal(deliver_one(&b, "a", i % 2, "crit")->answer, TW_ANSWER_DONE);
    await_requests(&b, 0, 8); /* and no more than that are open */
    assert_int_equal(fake_host_metric(&b.host, "requests_failed_total"), 4);
    teardown(&b);
}

static void a_refusal_counts_more_than_a_member_that_is_away(void **state)
{
    (void)state;
    bench b;
    const char *refuses[] = {ANSWER("400 Bad")};
    setup2(&b, refuses, 1, HTTP_CLOSE, "");
    const fake_answer *a = deliver_one(&b, "a", false, "crit");
    assert_int_equal(a->answer, TW_ANSWER_DROP);
    assert_non_null(strstr(a->text, "/am/api/v2/alerts: 400: why?"));
    teardown(&b);
}

/* ---- answers ---- */

static void a_refusal_of_several_is_halved_and_of_one_dropped_for_good(void **state)
{
    (void)state;
    bench b;
    setup(&b, ANSWER("400 Bad"), "");
    tw_record records[] = {fake_alert("1", "a", false, "crit"),
                           fake_alert("2", "b", false, "crit")};
    assert_int_equal(deliver(&b, records, 2)->answer, TW_ANSWER_SPLIT);
    assert_int_equal(deliver(&b, records, 1)->answer, TW_ANSWER_DROP);
    assert_int_equal(deliver(&b, records + 1, 1)->answer, TW_ANSWER_DROP);
    pass(&b, 600000);
    assert_int_equal(requests(&b, 0), 3);
    teardown(&b);
}

static void a_resend_that_is_refused_is_halved_until_the_culprit_is_gone(void **state)
{
    (void)state;
    bench b;
    const char *answers[] = {HTTP_OK, ANSWER("413 Large"), ANSWER("413 Large"), HTTP_OK};
    setup2(&b, answers, 4, NULL, "");
    tw_record records[] = {fake_alert("1", "a", false, "crit"),
                           fake_alert("2", "b", false, "crit")};
    deliver(&b, records, 2);
    pass(&b, 60000);
    await_sent(&b, 3);
    assert_label(&b, 2, "incident", "a");
    assert_label(&b, 3, "incident", "b");
    assert_int_equal(fake_host_metric(&b.host, "alerts_firing"), 1);
    teardown(&b);
}

static void a_wrong_password_drops_the_delivery_and_goes_on_trying(void **state)
{
    (void)state;
    bench b;
    const char *answers[] = {ANSWER("401 Who"), HTTP_OK};
    setup2(&b, answers, 2, NULL, "");
    assert_int_equal(deliver_one(&b, "a", false, "crit")->answer, TW_ANSWER_DROP);
    pass(&b, LOOK_MS);
    await_sent(&b, 1);
    teardown(&b);
}

static void what_is_no_alert_is_separated_and_dropped(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, "");
    tw_record records[] = {fake_alert("1", "a", false, "crit"),
                           {.size = sizeof(tw_record), .kind = TW_RECORD_DEAD_LETTER}};
    assert_int_equal(deliver(&b, records, 2)->answer, TW_ANSWER_SPLIT);
    assert_int_equal(deliver(&b, records + 1, 1)->answer, TW_ANSWER_DROP);
    assert_int_equal(requests(&b, 0), 0);
    teardown(&b);
}

static void a_stop_answers_what_is_under_way_and_what_waits(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_HANG, "");
    tw_record r = fake_alert("1", "a", false, "crit");
    begin(&b, &r, 1);
    tw_delivery other = b.delivery;
    other.sink_data = NULL;
    b.type->deliver(b.sink, &other);
    b.type->stop(b.sink);
    assert_int_equal(b.host.answer_count, 2);
    assert_int_equal(b.host.answers[0].answer, TW_ANSWER_RETRY);
    assert_int_equal(b.host.answers[1].answer, TW_ANSWER_RETRY);
    teardown(&b);
}

/* ---- settings ---- */

static void assert_refused(const char *settings, const char *expected)
{
    fake_host host;
    char why[512] = "";

    fake_host_init(&host, "alertmanager", "team", settings);
    const tw_sink_type *type = fake_host_sink_type(&host, "alertmanager");
    assert_null(fake_host_sink(&host, type, why, sizeof why));
    if (!strstr(why, expected))
        fail_msg("\"%s\" does not say \"%s\"", why, expected);
    fake_host_done(&host);
}

static void bad_settings_are_refused_with_a_reason(void **state)
{
    (void)state;
    assert_refused("{}", "'urls' is missing");
    assert_refused("{\"urls\": []}", "'urls' is empty");
    assert_refused("{\"urls\": [\"ftp://x\"]}", "ftp://x");
    assert_refused("{\"urls\": \"http://x/?a\"}", "is added to it");
    assert_refused("{\"urls\": \"http://x\", \"resend\": \"1ms\"}", "at least 100ms");
    assert_refused("{\"urls\": \"http://x\", \"labels\": {\"a.b\": \"c\"}}", "'a.b'");
    assert_refused("{\"urls\": \"http://x\", \"labels\": {\"a\": \"\"}}", "is empty");
    assert_refused("{\"urls\": \"http://x\", \"retry\": 1}", "no setting 'retry'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert_is_its_labels_and_ends_four_resends_from_now),
        cmocka_unit_test(an_end_lies_in_the_past_and_after_its_beginning),
        cmocka_unit_test(names_of_labels_fit_unless_told_otherwise),
        cmocka_unit_test(one_alert_told_twice_in_a_batch_is_sent_once_as_it_is_last),
        cmocka_unit_test(every_member_is_told_and_one_that_takes_it_is_enough),
        cmocka_unit_test(a_member_that_hangs_holds_nobody),
        cmocka_unit_test(a_refusal_counts_more_than_a_member_that_is_away),
        cmocka_unit_test(a_refusal_of_several_is_halved_and_of_one_dropped_for_good),
        cmocka_unit_test(a_resend_that_is_refused_is_halved_until_the_culprit_is_gone),
        cmocka_unit_test(a_wrong_password_drops_the_delivery_and_goes_on_trying),
        cmocka_unit_test(what_is_no_alert_is_separated_and_dropped),
        cmocka_unit_test(a_stop_answers_what_is_under_way_and_what_waits),
        cmocka_unit_test(bad_settings_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
