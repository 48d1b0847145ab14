// SPDX-License-Identifier: Apache-2.0
/* Frames as a whole: grammar, arrays, limits. */
#include "decode_fixture.h"

/* ---- frames ------------------------------------------------------------------------ */

static void bad_grammar_is_refused_with_its_place(void **state)
{
    fixture *x = *state;
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "empty"},
        {"  \n", "empty"},
        {"5", "neither"},
        {"\"text\"", "neither"},
        {"null", "neither"},
        {"}", "neither"},
        {"{", "does not end"},
        {"[", "does not end"},
        {"{]", "does not end"},
        {"[}", "does not end"},
        {"{\"a\":1]", "does not end"},
        {"{\"a\":1}}", "byte 7: something follows"},
        {"{\"a\":1}{\"a\":2}", "byte 7: something follows"},
        {"{\"a\":1},{}", "byte 7: something follows"},
        {"{\"a\":1} x", "does not end"},
        {"{\"a\"}", "byte 4: a colon"},
        {"{\"a\",1}", "byte 4: a colon"},
        {"{\"a\":}", "byte 5: a value"},
        {"{\"a\":,\"b\":1}", "byte 5: a value"},
        {"{\"a\":1,}", "byte 7: a key"},
        {"{,\"a\":1}", "byte 1: a key"},
        {"{a:1}", "byte 1: a key"},
        {"{1:1}", "byte 1: a key"},
        {"{\"a\":1 \"b\":2}", "byte 7: a comma"},
        {"{\"a\":\"x\"\"y\"}", "byte 8: a comma"},
        {"{\"a\":\"x\"y}", "byte 8: a comma"},
        {"{\"a\":1:2}", "byte 6: a comma"},
        {"{\"a\":[1,]}", "byte 8: a value"},
        {"{\"a\":[1 2]}", "byte 8: a comma"},
        {"{\"a\":[1}}", "byte 7: a comma"},
        {"{\"a\":{\"b\":1]}", "byte 11: a comma"},
        {"{\"a\":{\"b\":1}", "too early"},
        {"{\"a\":{}", "too early"},
        {"{\"z\":[{}]", "does not end"},
        {"{\"a\":\"x", "string does not end"},
        {"{\"a\":\"x}", "string does not end"},
        {"{\"a\":\"x\\\"}", "string does not end"},
        {"{\"a\":1} \\", "does not end"},
        {"{\"a\\\":1}", "string does not end"},
        {"[{}", "does not end"},
        {"[{},]", "byte 4: an array of events"},
        {"[{}{}]", "byte 3: a comma"},
        {"[{}]]", "byte 4: something follows"},
        {"[]]", "byte 2: something follows"},
        {"[][]", "byte 2: something follows"},
        {"[1]", "byte 1: an array of events"},
        {"[[{}]]", "byte 1: an array of events"},
        {"[{}:{}]", "byte 3: a comma"},
        {"[{\"a\":]", "a value"},
        {"[{\"a\"]", "a colon"},
        {"[{]", "a key"},
    };
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        refuse(x, bad[n].text, bad[n].why);
        assert_int_equal(x->rc, TW_EPARSE);
    }
    assert_int_equal(decode_bytes(x, NULL, 0), TW_EPARSE);
}

static const char *const whole = "{\"time\":1732182000000,\"a\":\"x\\u00e9\\n\",\"b\":-1."
                                 "5e3,\"labels\":{\"zone\":\"z\","
                                 "\"r\":[1,{\"q\":null}]},\"tags\":[{\"k\":false},"
                                 "\"\xc3\xa9\"],\"message\":\"\\\"m\\\"\"}";

static void cut_anywhere_a_frame_is_refused(void **state)
{
    fixture *x = *state;
    char text[512];
    assert_int_equal(decode(x, whole), 1);
    for (size_t n = 0; n < strlen(whole); n++) {
        assert_int_equal(decode_bytes(x, whole, n), TW_EPARSE);
        assert_int_equal(x->count, 0);
        int len = snprintf(text, sizeof text, "[%s,%.*s", whole, (int)n, whole);
        assert_int_equal(decode_bytes(x, text, (size_t)len), TW_EPARSE);
    }
}

static void no_byte_put_anywhere_makes_it_read_outside(void **state)
{
    fixture *x = *state;
    char text[512];
    size_t n = strlen(whole);
    for (size_t at = 0; at < n; at++) {
        for (const char *c = "{}[]:,\"\\0-.etn \x80"; *c; c++) {
            memcpy(text, whole, n);
            text[at] = *c;
            decode_bytes(x, text, n);
        }
    }
}

static void the_event_says_where_it_came_from(void **state)
{
    fixture *x = *state;
    assert_int_equal(decode(x, "{\"a\":1}"), 1);
    const tw_event *ev = x->events[0];
    assert_int_equal(ev->partition, 3);
    assert_int_equal(ev->offset, 77);
    assert_int_equal(ev->seq, 5);
    assert_int_equal(ev->arrival_ms, ARRIVAL);
    assert_int_equal(ev->index, 0);
    assert_int_equal(ev->stream, 1);
    assert_int_equal(ev->raw_len, 7);
    assert_memory_equal(ev->raw, "{\"a\":1}", 7);
}

static void an_array_gives_one_event_an_element(void **state)
{
    fixture *x = *state;
    assert_int_equal(decode(x, " [ {\"a\":1,\"b\":2} ,\n {\"a\":\"\\t\"}, {} ] "), 3);
    assert_int_equal(x->count, 3);
    for (uint32_t n = 0; n < 3; n++) {
        assert_int_equal(x->events[n]->index, n);
        assert_int_equal(x->events[n]->offset, 77);
    }
    assert_int_equal(tw_event_slot(x->events[0], x->slots[B]).i, 2);
    assert_text(tw_event_slot(x->events[1], x->slots[A]), TW_STRING, "\t");
    assert_int_equal(tw_event_slot(x->events[1], x->slots[B]).type, TW_ABSENT);
    assert_int_equal(tw_event_slot(x->events[2], x->slots[A]).type, TW_ABSENT);
    assert_memory_equal(x->events[1]->raw, "{\"a\":\"\\t\"}", 10);
    assert_int_equal(decode(x, "[]"), 0);
    assert_int_equal(decode(x, " [ ] "), 0);
}

static void
of_an_array_with_a_bad_element_the_good_ones_before_it_are_delivered(void **state)
{
    fixture *x = *state;
    assert_int_equal(decode(x, "[{\"a\":1},{\"a\":2},{\"a\":tru},{\"a\":4}]"), TW_EPARSE);
    assert_int_equal(x->count, 2);
    assert_int_equal(decode(x, "[{\"a\":1},{\"zz\":\"\\q\"},{\"a\":4}]"), TW_EPARSE);
    assert_int_equal(x->count, 1);
    assert_int_equal(decode(x, "[{\"a\":1},{\"a\":2,\"time\":\"x\"}]"), TW_EPARSE);
    assert_int_equal(x->count, 1);
    assert_int_equal(decode(x, "{\"a\":1}"), 1);
    assert_int_equal(value(x, B).type, TW_ABSENT);
}

/* ---- limits ------------------------------------------------------------------------ */

static void a_frame_beyond_the_size_limit_is_refused(void **state)
{
    fixture *x = *state;
    limit(x, (tw_decode_limits){20, 32, 2000, 100});
    assert_int_equal(decode(x, "{\"a\":12345678901234}"), 1);
    assert_int_equal(decode(x, "{\"a\":123456789012345}"), TW_ELIMIT);
    assert_string_equal(x->err.text, "21 bytes; a record has at most 20");
}

static void nesting_beyond_the_depth_limit_is_refused(void **state)
{
    fixture *x = *state;
    limit(x, (tw_decode_limits){1 << 20, 3, 2000, 100});
    assert_int_equal(decode(x, "{\"a\":{\"a\":{}},\"b\":[[]],\"z\":[{}]}"), 1);
    assert_int_equal(decode(x, "{\"a\":{\"a\":{\"a\":1}}}"), 1);
    assert_int_equal(decode(x, "{\"a\":{\"a\":{\"a\":{}}}}"), TW_ELIMIT);
    assert_int_equal(decode(x, "{\"zz\":[[[]]]}"), TW_ELIMIT);
    assert_int_equal(decode(x, "[{\"zz\":[[{}]]}]"), TW_ELIMIT);
    assert_string_equal(x->err.text, "more than 3 levels of nesting");
}

static void nesting_of_100000_levels_is_refused_calmly(void **state)
{
    fixture *x = *state;
    size_t n = 100000;
    char *text = malloc(2 * n + 6);
    limit(x, (tw_decode_limits){1 << 20, UINT32_MAX, 2000, 100});
    for (int kind = 0; kind < 2; kind++) {
        memcpy(text, kind ? "{\"a\":" : "{\"z\":", 5);
        memset(text + 5, '[', n);
        memset(text + 5 + n, ']', n);
        text[5 + 2 * n] = '}';
        assert_int_equal(decode_bytes(x, text, 2 * n + 6), TW_ELIMIT);
    }
    free(text);
}

static void fields_beyond_the_limit_are_refused(void **state)
{
    fixture *x = *state;
    limit(x, (tw_decode_limits){1 << 20, 32, 3, 100});
    assert_int_equal(decode(x, "{\"a\":1,\"b\":2,\"c\":[1,2,3,4]}"), 1);
    assert_int_equal(decode(x, "[{\"a\":1,\"b\":2,\"c\":3},{\"a\":1,\"b\":2,\"c\":3}]"),
                     2);
    assert_int_equal(decode(x, "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}"), TW_ELIMIT);
    assert_int_equal(decode(x, "{\"a\":{\"b\":2},\"c\":[{\"d\":4}]}"), TW_ELIMIT);
    assert_string_equal(x->err.text, "more than 3 fields");
    assert_int_equal(
        decode(x, "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7}"),
        TW_ELIMIT);
}

static void events_beyond_the_limit_are_refused(void **state)
{
    fixture *x = *state;
    limit(x, (tw_decode_limits){1 << 20, 32, 2000, 2});
    assert_int_equal(decode(x, "[{},{}]"), 2);
    assert_int_equal(decode(x, "[{},{},{}]"), TW_ELIMIT);
    assert_int_equal(x->count, 2);
    assert_string_equal(x->err.text, "more than 2 events in one record");
}

static void a_frame_of_ten_megabytes_is_read(void **state)
{
    fixture *x = *state;
    size_t n = 10 << 20;
    char *text = malloc(n);
    limit(x, (tw_decode_limits){16 << 20, 32, 2000, 2});
    memset(text, 'x', n);
    memcpy(text, "{\"a\":\"\\n", 8);
    memcpy(text + n - 8, "\",\"b\":7}", 8);
    assert_int_equal(decode_bytes(x, text, n), 1);
    assert_int_equal(value(x, A).len, n - 15);
    assert_int_equal(value(x, B).i, 7);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_decoder(bad_grammar_is_refused_with_its_place),
        with_decoder(cut_anywhere_a_frame_is_refused),
        with_decoder(no_byte_put_anywhere_makes_it_read_outside),
        with_decoder(the_event_says_where_it_came_from),
        with_decoder(an_array_gives_one_event_an_element),
        with_decoder(a_frame_beyond_the_size_limit_is_refused),
        with_decoder(nesting_beyond_the_depth_limit_is_refused),
        with_decoder(nesting_of_100000_levels_is_refused_calmly),
        with_decoder(fields_beyond_the_limit_are_refused),
        with_decoder(events_beyond_the_limit_are_refused),
        with_decoder(a_frame_of_ten_megabytes_is_read),
        with_decoder(
            of_an_array_with_a_bad_element_the_good_ones_before_it_are_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
