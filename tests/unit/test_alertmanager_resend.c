// SPDX-License-Identifier: Apache-2.0
/* Tests of what plugins/alertmanager sends again, how often, and for how long.
 * ctest: threads */
#include "alertmanager_bench.h"

/* ---- again and again ---- */

static void what_fires_is_sent_again_each_resend_with_a_later_end(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, "");
    deliver_one(&b, "a", false, "crit");
    pass(&b, 45000);
    assert_int_equal(requests(&b, 0), 1);
    pass(&b, LOOK_MS);
    await_sent(&b, 2);
    assert_alert(&b, 1, "startsAt", "2024-11-21T09:40:00.000Z");
    assert_alert(&b, 1, "endsAt", "2024-11-21T09:45:10.000Z");
    pass(&b, 60000);
    await_sent(&b, 3);
    assert_alert(&b, 2, "endsAt", "2024-11-21T09:46:10.000Z");
    assert_int_equal(fake_host_metric(&b.host, "alerts_resent_total"), 2);
    assert_int_equal(fake_host_metric(&b.host, "alerts_firing"), 1);
    teardown(&b);
}

static void a_resend_comes_at_the_look_that_is_nearest(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, "");
    b.host.now_ms += 5000;
    deliver_one(&b, "a", false, "crit");
    pass(&b, 45000); /* the looks are where they were: one in 10 s, and so on */
    b.host.now_ms -= 5000;
    assert_int_equal(requests(&b, 0), 1);
    pass(&b, LOOK_MS);
    await_sent(&b, 2);
    teardown(&b);
}

static void what_has_ended_is_sent_along_for_a_while_and_then_forgotten(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, ", \"resolved_for\": \"2m\"");
    deliver_one(&b, "a", false, "crit");
    deliver_one(&b, "a", true, "crit");
    assert_int_equal(fake_host_metric(&b.host, "alerts_firing"), 0);
    pass(&b, 60000);
    await_sent(&b, 3);
    pass(&b, 60000);
    await_sent(&b, 4);
    assert_alert(&b, 3, "endsAt", "2024-11-21T09:40:05.000Z");
    pass(&b, 600000);
    deliver_one(&b, "other", false, "crit");
    assert_int_equal(requests(&b, 0), 5);
    teardown(&b);
}

static void what_fires_again_has_a_new_beginning_and_no_end(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, "");
    deliver_one(&b, "a", true, "crit");
    tw_record r = fake_alert("id", "a", false, "crit");
    r.starts_at_ms = NOW - 1000;
    deliver(&b, &r, 1);
    assert_alert(&b, 1, "startsAt", "2024-11-21T09:40:09.000Z");
    assert_alert(&b, 1, "endsAt", "2024-11-21T09:44:10.000Z");
    assert_int_equal(fake_host_metric(&b.host, "alerts_firing"), 1);
    teardown(&b);
}

static void a_level_that_rises_ends_the_alert_of_the_level_before(void **state)
{
    (void)state;
    bench b;
    setup(&b, HTTP_OK, "");
    deliver_one(&b, "a", false, "warn");
    deliver_one(&b, "a", false, "crit");
    await_sent(&b, 3);
    assert_label(&b, 1, "severity", "crit");
    assert_alert(&b, 1, "endsAt", "2024-11-21T09:44:10.000Z");
    assert_label(&b, 2, "severity", "warn");
    assert_alert(&b, 2, "endsAt", "2024-11-21T09:40:10.000Z");
    assert_int_equal(fake_host_metric(&b.host, "alerts_firing"), 1);
    deliver_one(&b, "a", true, "crit");
    assert_int_equal(fake_host_metric(&b.host, "alerts_firing"), 0);
    deliver_one(&b, "a", false, "warn");
    assert_alert(&b, 4, "endsAt", "2024-11-21T09:44:10.000Z");
    teardown(&b);
}

static void resends_go_in_batches_until_all_are_sent(void **state)
{
    (void)state;
    bench b;
    char names[300][16];
    setup(&b, HTTP_OK, "");
    for (size_t i = 0; i < 300; i++) {
        snprintf(names[i], sizeof names[i], "host-%zu", i);
        b.records[i] = fake_alert(names[i], names[i], false, "crit");
    }
    deliver(&b, b.records, 256);
    deliver(&b, b.records + 256, 44);
    pass(&b, 60000);
    await_sent(&b, 600);
    assert_int_equal(requests(&b, 0), 4);
    json_t *array = body(&b, 0, 2);
    assert_int_equal(json_array_size(array), 256);
    json_decref(array);
    teardown(&b);
}

static void what_was_not_taken_is_tried_again_while_the_queue_waits(void **state)
{
    (void)state;
    bench b;
    const char *answers[] = {ANSWER("503 Busy"), ANSWER("503 Busy"), HTTP_OK};
    setup2(&b, answers, 3, NULL, "");
    assert_int_equal(deliver_one(&b, "a", false, "crit")->answer, TW_ANSWER_RETRY);
    pass(&b, LOOK_MS);
    await_metric(&b, "requests_failed_total", 2);
    pass(&b, LOOK_MS);
    await_sent(&b, 1);
    assert_int_equal(requests(&b, 0), 3);
    assert_non_null(strstr(b.host.logged, "takes no alerts: 503: why?"));
    assert_non_null(strstr(b.host.logged, "takes alerts again"));
    teardown(&b);
}

static void a_delivery_waits_for_the_resend_under_way(void **state)
{
    (void)state;
    bench b;
    const char *answers[] = {HTTP_OK, HTTP_HANG, HTTP_OK};
    setup2(&b, answers, 3, NULL, ", \"timeout\": \"200ms\"");
    deliver_one(&b, "a", false, "crit");
    pass(&b, 60000);
    tw_record r = fake_alert("id", "a", true, "crit");
    begin(&b, &r, 1);
    await_requests(&b, 0, 2);
    assert_int_equal(b.host.answer_count, 1);
    assert_true(fake_host_wait(&b.host, 2));
    assert_int_equal(b.host.answers[1].answer, TW_ANSWER_DONE);
    assert_alert(&b, 2, "endsAt", "2024-11-21T09:40:05.000Z");
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fires_is_sent_again_each_resend_with_a_later_end),
        cmocka_unit_test(a_resend_comes_at_the_look_that_is_nearest),
        cmocka_unit_test(what_has_ended_is_sent_along_for_a_while_and_then_forgotten),
        cmocka_unit_test(what_fires_again_has_a_new_beginning_and_no_end),
        cmocka_unit_test(a_level_that_rises_ends_the_alert_of_the_level_before),
        cmocka_unit_test(resends_go_in_batches_until_all_are_sent),
        cmocka_unit_test(what_was_not_taken_is_tried_again_while_the_queue_waits),
        cmocka_unit_test(a_delivery_waits_for_the_resend_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
