// SPDX-License-Identifier: Apache-2.0
/* Event time, and lines of text, which bring none. */
#include "decode_fixture.h"

#include "base/duration.h"

/* ---- time -------------------------------------------------------------------------- */

static int64_t time_of(fixture *x, const char *json)
{
    char text[128];
    snprintf(text, sizeof text, "{\"time\":%s}", json);
    if (decode(x, text) != 1) {
        fail_msg("%s: %s", json, x->err.text);
    }
    return x->events[0]->time_ms;
}

static void event_time_is_rfc3339_text_or_an_epoch_number(void **state)
{
    fixture *x = *state;
    assert_int_equal(time_of(x, "1732181999"), 1732181999000);
    assert_int_equal(time_of(x, "1732181999123"), 1732181999123);
    assert_int_equal(time_of(x, "1732181999123456"), 1732181999123);
    assert_int_equal(time_of(x, "1732181999123456789"), 1732181999123);
    assert_int_equal(time_of(x, "1732181999.25"), 1732181999250);
    assert_int_equal(time_of(x, "\"2024-11-21T09:39:59.123Z\""), 1732181999123);
    assert_int_equal(time_of(x, "\"2024-11-21T09:39:59Z\""), 1732181999000);
    assert_int_equal(time_of(x, "\"2024-11-21 10:39:59.5+01:00\""), 1732181999500);
    assert_int_equal(time_of(x, "\"2024-11-21T09:39:59.123456789Z\""), 1732181999123);
    assert_int_equal(time_of(x, "\"2024-11-21T09:39:59\\u005a\""), 1732181999000);
    assert_int_equal(time_of(x, "0"), 0);
    assert_int_equal(x->events[0]->flags & TW_EVENT_CLAMPED, 0);
}

static void usual_stamps_are_read_like_all_others(void **state)
{
    static const char *const tails[] = {"T00:00:00Z", "T23:59:59.999Z", "T12:34:56.007Z"};
    char text[64];
    int64_t ms, expected;
    (void)state;
    for (int day = 0; day < 400 * 12 * 31; day += 7) {
        for (size_t n = 0; n < 3; n++) {
            snprintf(text, sizeof text, "%04d-%02d-%02d%s", 1970 + day / 372,
                     1 + day / 31 % 12, 1 + day % 31, tails[n]);
            int rc = tw_time_parse_rfc3339(text, strlen(text), &expected);
            assert_int_equal(tw_event_time(tw_value_string(text, strlen(text)), &ms), rc);
            if (rc == 0) {
                assert_int_equal(ms, expected);
            }
        }
    }
}

static void usual_stamps_with_one_wrong_byte_are_refused(void **state)
{
    static const char *const good[] = {"2024-11-21T09:39:59Z",
                                       "2024-11-21T09:39:59.123Z"};
    char text[64];
    int64_t ms, expected;
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        for (size_t at = 0; at < strlen(good[n]); at++) {
            for (const char *c = "x/:- 9T"; *c; c++) {
                memcpy(text, good[n], sizeof "2024-11-21T09:39:59.123Z" - (n ? 0 : 4));
                text[at] = *c;
                int rc = tw_time_parse_rfc3339(text, strlen(text), &expected);
                assert_int_equal(tw_event_time(tw_value_string(text, strlen(text)), &ms),
                                 rc);
                assert_true(rc < 0 || ms == expected);
            }
        }
    }
}

static void without_a_time_field_the_sources_stamp_counts_then_arrival(void **state)
{
    fixture *x = *state;
    assert_int_equal(time_of(x, "null"), ARRIVAL);
    x->origin.time_ms = ARRIVAL - 500;
    assert_int_equal(time_of(x, "null"), ARRIVAL - 500);
    assert_int_equal(time_of(x, "1732181999"), 1732181999000);
    assert_int_equal(decode(x, "{\"a\":1}"), 1);
    assert_int_equal(x->events[0]->time_ms, ARRIVAL - 500);
    x->origin.time_ms = -1;
    assert_int_equal(decode(x, "{\"a\":1}"), 1);
    assert_int_equal(x->events[0]->time_ms, ARRIVAL);
}

static void a_stamp_from_the_future_is_clamped_and_says_so(void **state)
{
    fixture *x = *state;
    assert_int_equal(time_of(x, "1732182060000"), ARRIVAL + 60000);
    assert_int_equal(x->events[0]->flags & TW_EVENT_CLAMPED, 0);
    assert_int_equal(time_of(x, "1732182060001"), ARRIVAL);
    assert_int_equal(x->events[0]->flags & TW_EVENT_CLAMPED, TW_EVENT_CLAMPED);
    assert_int_equal(time_of(x, "\"9999-12-31T23:59:59.999Z\""), ARRIVAL);
    assert_int_equal(x->events[0]->flags & TW_EVENT_CLAMPED, TW_EVENT_CLAMPED);
    x->origin.time_ms = INT64_MAX;
    assert_int_equal(time_of(x, "null"), ARRIVAL);
    assert_int_equal(x->events[0]->flags & TW_EVENT_CLAMPED, TW_EVENT_CLAMPED);
    x->stream->future_ms = 5;
    assert_int_equal(time_of(x, "1732182000006"), ARRIVAL);
}

static void a_time_outside_1970_to_9999_or_of_a_wrong_type_is_refused(void **state)
{
    fixture *x = *state;
    static const char *const bad[] = {"\"0001-01-01T00:00:00Z\"",
                                      "\"1969-12-31T23:59:59Z\"",
                                      "\"9999-12-31T23:59:59-01:00\"",
                                      "-1",
                                      "-0.5",
                                      "1e+300",
                                      "1e400",
                                      "99999999999999999999999",
                                      "true",
                                      "{}",
                                      "[]",
                                      "\"\"",
                                      "\"yesterday\"",
                                      "\"1732182000000\"",
                                      "\"2024-02-30T00:00:00Z\"",
                                      "\"2024-11-21\""};
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        char text[128];
        snprintf(text, sizeof text, "{\"time\":%s}", bad[n]);
        refuse(x, text, "field time: ");
        assert_non_null(strstr(x->err.text, bad[n]));
        assert_int_equal(x->rc, TW_EPARSE);
    }
}

static void a_time_nobody_else_wants_is_read_all_the_same(void **state)
{
    fixture *x = *state;
    tw_projection *p = tw_projection_new(x->stream->fields, &x->slots[A], 1);
    uint32_t when = (uint32_t)tw_fields_slot(x->stream->fields, "when.at", NULL);
    tw_decode_plan *plan = tw_decode_plan_new(x->stream, p, when);
    tw_decode_plan_free(x->plan);
    x->plan = plan;
    assert_int_equal(decode(x, "{\"when\":{\"at\":\"2024-11-21T09:39:59Z\"},\"a\":1}"),
                     1);
    assert_int_equal(x->events[0]->time_ms, 1732181999000);
    assert_int_equal(tw_event_slot(x->events[0], x->slots[A]).i, 1);
    assert_int_equal(decode(x, "{\"a\":1}"), 1);
    assert_int_equal(x->events[0]->time_ms, ARRIVAL);
    tw_decode_plan_free(x->plan);
    x->plan = tw_decode_plan_new(x->stream, p, TW_SLOT_TIME);
    assert_int_equal(decode(x, "{\"when\":{\"at\":5},\"a\":1,\"time\":1}"), 1);
    assert_int_equal(x->events[0]->time_ms, ARRIVAL);
    forget(x);
    tw_projection_free(p);
}

/* ---- text format ------------------------------------------------------------------- */

static void a_line_of_text_is_an_event_with_a_message(void **state)
{
    fixture *x = *state;
    x->stream->format = TW_FORMAT_TEXT;
    assert_int_equal(decode(x, "disk full on /var\n"), 1);
    assert_text(value(x, MESSAGE), TW_STRING, "disk full on /var");
    assert_int_equal(x->events[0]->raw_len, 31);
    assert_memory_equal(x->events[0]->raw, "{\"message\":\"disk full on /var\"}", 31);
    assert_int_equal(decode(x, "say \"hi\"\t\xc3\xa9\r\n"), 1);
    assert_text(value(x, MESSAGE), TW_STRING, "say \"hi\"\t\xc3\xa9");
    assert_memory_equal(x->events[0]->raw, "{\"message\":\"say \\\"hi\\\"\\t\xc3\xa9\"}",
                        28);
    assert_int_equal(decode(x, "\n"), 1);
    assert_text(value(x, MESSAGE), TW_STRING, "");
    assert_int_equal(value(x, A).type, TW_ABSENT);
    assert_int_equal(x->events[0]->time_ms, ARRIVAL);
    refuse(x, "ab\xff", "broken UTF-8 at byte 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_decoder(event_time_is_rfc3339_text_or_an_epoch_number),
        with_decoder(usual_stamps_are_read_like_all_others),
        with_decoder(usual_stamps_with_one_wrong_byte_are_refused),
        with_decoder(without_a_time_field_the_sources_stamp_counts_then_arrival),
        with_decoder(a_stamp_from_the_future_is_clamped_and_says_so),
        with_decoder(a_time_outside_1970_to_9999_or_of_a_wrong_type_is_refused),
        with_decoder(a_time_nobody_else_wants_is_read_all_the_same),
        with_decoder(a_line_of_text_is_an_event_with_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
