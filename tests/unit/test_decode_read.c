// SPDX-License-Identifier: Apache-2.0
/* Paths that no plan wants, read lazily; and plans themselves. */
#include "decode_fixture.h"

/* ---- lazy reads -------------------------------------------------------------------- */

static tw_value lazy(const tw_event *ev, const char *path)
{
    tw_fields *f = tw_fields_new();
    const tw_field *field = tw_fields_at(f, (uint32_t)tw_fields_slot(f, path, NULL));
    tw_value v = tw_event_get(ev, field->steps, field->step_count);
    tw_fields_free(f);
    return v;
}

static const char *const rich =
    "{\"a\":1,\"k\":\"v\",\"e\\u0073c\":\"x\\ny\",\"n\":{\"k\":[10,{\"q\":[true]},"
    "\"s\\t\"],"
    "\"k2\":{},\"d\":1,\"d\":2},\"k\":\"last\",\"big\":18446744073709551616,\"f\":2.5,"
    "\"nil\":null,\"sp\" : [ ] ,\"x\":\"\",\"sl\":\"a\\\\b\"}";

static void assert_reads_rich(fixture *x, const tw_event *ev)
{
    (void)x;
    tw_value escaped = lazy(ev, "esc");
    assert_text(lazy(ev, "k"), TW_STRING, "last");
    assert_int_equal(lazy(ev, "a").i, 1);
    assert_int_equal(lazy(ev, "n.k[0]").i, 10);
    assert_true(lazy(ev, "n.k[1].q[0]").b);
    assert_text(lazy(ev, "n.k[2]"), TW_STRING, "s\t");
    assert_text(lazy(ev, "n.k[1]"), TW_JSON, "{\"q\":[true]}");
    assert_int_equal(lazy(ev, "n.k[3]").type, TW_ABSENT);
    assert_int_equal(lazy(ev, "n.k.q").type, TW_ABSENT);
    assert_int_equal(lazy(ev, "n[0]").type, TW_ABSENT);
    assert_int_equal(lazy(ev, "n.k2.q").type, TW_ABSENT);
    assert_int_equal(lazy(ev, "n.k2[0]").type, TW_ABSENT);
    assert_int_equal(lazy(ev, "n.d").i, 2);
    assert_text(lazy(ev, "big"), TW_DECIMAL, "18446744073709551616");
    assert_true(lazy(ev, "f").d == 2.5);
    assert_int_equal(lazy(ev, "nil").type, TW_NULL);
    assert_text(lazy(ev, "sp"), TW_JSON, "[ ]");
    assert_int_equal(lazy(ev, "sp[0]").type, TW_ABSENT);
    assert_text(lazy(ev, "x"), TW_STRING, "");
    assert_text(lazy(ev, "sl"), TW_STRING, "a\\b");
    assert_int_equal(lazy(ev, "nothing").type, TW_ABSENT);
    assert_int_equal(lazy(ev, "q").type, TW_ABSENT);
    assert_text(escaped, TW_STRING, "x\ny"); /* other reads of the event left it alone */
}

static void any_path_can_be_read_while_the_event_is_lent(void **state)
{
    fixture *x = *state;
    char text[1024];
    x->during = assert_reads_rich;
    assert_int_equal(decode(x, rich), 1);
    snprintf(text, sizeof text, "[%s, %s]", rich, rich);
    assert_int_equal(decode(x, text), 2);
}

static void assert_reads_plain(fixture *x, const tw_event *ev)
{
    (void)x;
    assert_int_equal(lazy(ev, "ab").i, 1);
    assert_int_equal(lazy(ev, "a").i, 5);
    assert_int_equal(lazy(ev, "abc").i, 3);
    assert_int_equal(lazy(ev, "[\"\"]").i, 4);
    assert_int_equal(lazy(ev, "[\"a.b\"]").i, 6);
    assert_int_equal(lazy(ev, "[\"a \"]").type, TW_ABSENT);
    assert_int_equal(lazy(ev, "b").type, TW_ABSENT);
    assert_int_equal(lazy(ev, "[\"a\\\"\"]").type, TW_ABSENT);
    assert_int_equal(lazy(ev, "[\"ab\\\":1\"]").type, TW_ABSENT);
    assert_text(lazy(ev, "z"), TW_STRING, "\n");
}

static void names_are_told_apart_in_lazy_reads(void **state)
{
    fixture *x = *state;
    x->during = assert_reads_plain;
    assert_int_equal(
        decode(x, "{\"ab\":1,\"a\" :2,\"abc\":3,\"\":4,\"z\":\"\\n\",\"a\"\t: 5,"
                  "\"a.b\":6}"),
        1);
    assert_reads_plain(x, x->events[0]);
    x->during = NULL;
    assert_int_equal(decode(x, "{}"), 1);
    assert_int_equal(lazy(x->events[0], "a").type, TW_ABSENT);
}

static void any_path_can_be_read_from_a_copy_later(void **state)
{
    fixture *x = *state;
    char text[1024];
    snprintf(text, sizeof text, "[{\"a\":7}, %s]", rich);
    assert_int_equal(decode(x, text), 2);
    assert_reads_rich(x, x->events[1]);
    assert_int_equal(lazy(x->events[0], "a").i, 7);
    assert_reads_rich(x, x->events[1]);
}

static void a_block_used_again_is_not_taken_for_the_old_event(void **state)
{
    fixture *x = *state;
    char *block;
    assert_int_equal(decode(x, "{\"q\":\"one\"}"), 1);
    assert_text(lazy(x->events[0], "q"), TW_STRING, "one");
    block = (char *)(uintptr_t)x->events[0]->raw;
    memcpy(block, "{\"q\":\"two\"}", 11);
    assert_text(lazy(x->events[0], "q"), TW_STRING, "two");
    memcpy(block, "{\"q\":\"\\qo\"}", 11);
    assert_int_equal(lazy(x->events[0], "q").type, TW_ABSENT);
    assert_int_equal(lazy(x->events[0], "q").type, TW_ABSENT);
}

static tw_event *kept; /* read by the callback below */

static void read_kept_in_turns(fixture *x, const tw_event *ev)
{
    assert_reads_rich(x, kept);
    assert_int_equal(lazy(ev, "only").i, 1);
    assert_int_equal(lazy(kept, "only").type, TW_ABSENT);
    assert_reads_rich(x, kept);
}

static void a_copy_can_be_read_while_another_event_is_lent(void **state)
{
    fixture *x = *state;
    tw_decode_limits limits = TW_DECODE_LIMITS_DEFAULT;
    assert_int_equal(decode(x, rich), 1);
    kept = x->events[0];
    x->count = 0;
    x->during = read_kept_in_turns;
    assert_int_equal(decode(x, "{\"only\":1}"), 1);
    tw_decoder *other = tw_decoder_new(&limits);
    tw_decoder_adopt(other, kept);
    tw_decoder_free(x->decoder);
    x->decoder = tw_decoder_new(&limits);
    assert_reads_rich(x, kept);
    tw_decoder_free(other);
    free(kept);
}

static void text_read_from_a_copy_lives_as_long_as_the_copy(void **state)
{
    fixture *x = *state;
    assert_int_equal(decode(x, "[{\"q\":\"one\"},{\"r\":\"two\",\"s\":3}]"), 2);
    tw_value one = lazy(x->events[0], "q");
    assert_text(lazy(x->events[1], "r"), TW_STRING, "two");
    assert_text(one, TW_STRING, "one");
}

static void text_events_can_be_read_lazily_too(void **state)
{
    fixture *x = *state;
    x->stream->format = TW_FORMAT_TEXT;
    assert_int_equal(decode(x, "a \"quoted\" line"), 1);
    assert_text(lazy(x->events[0], "message"), TW_STRING, "a \"quoted\" line");
    assert_int_equal(lazy(x->events[0], "a").type, TW_ABSENT);
}

/* ---- plans ------------------------------------------------------------------------- */

static void a_thousand_wanted_names_are_all_found(void **state)
{
    fixture *x = *state;
    uint32_t slots[1000];
    char name[32];
    tw_buf text;
    tw_buf_init(&text, 1 << 20);
    for (int n = 0; n < 1000; n++) {
        snprintf(name, sizeof name, "field_%c_%03d_x", 'a' + n % 3, n);
        slots[n] = (uint32_t)tw_fields_slot(x->stream->fields, name, NULL);
        tw_buf_printf(&text, "%s\"%s\":%d", n ? "," : "{", name, n);
    }
    tw_buf_add_str(&text, "}");
    tw_projection *p = tw_projection_new(x->stream->fields, slots, 1000);
    tw_decode_plan_free(x->plan);
    x->plan = tw_decode_plan_new(x->stream, p, TW_SLOT_TIME);
    assert_int_equal(decode_bytes(x, text.data, text.len), 1);
    for (int n = 0; n < 1000; n++) {
        assert_int_equal(tw_event_slot(x->events[0], slots[n]).i, n);
    }
    forget(x);
    tw_projection_free(p);
    tw_buf_done(&text);
}

static void plans_may_take_turns_on_one_decoder(void **state)
{
    fixture *x = *state;
    tw_projection *p = tw_projection_new(x->stream->fields, &x->slots[B], 1);
    tw_decode_plan *wide = x->plan;
    tw_decode_plan *narrow = tw_decode_plan_new(x->stream, p, TW_SLOT_TIME);
    assert_int_equal(decode(x, "{\"a\":1,\"b\":2}"), 1);
    x->plan = narrow;
    assert_int_equal(decode(x, "{\"a\":3,\"b\":4}"), 1);
    assert_int_equal(value(x, A).type, TW_ABSENT);
    assert_int_equal(value(x, B).i, 4);
    assert_int_equal(decode(x, "{\"a\":3,\"b\":tru}"), TW_EPARSE);
    x->plan = wide;
    assert_int_equal(decode(x, "{\"a\":5}"), 1);
    assert_int_equal(value(x, A).i, 5);
    assert_int_equal(value(x, B).type, TW_ABSENT);
    forget(x);
    tw_decode_plan_free(narrow);
    tw_projection_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_decoder(any_path_can_be_read_while_the_event_is_lent),
        with_decoder(names_are_told_apart_in_lazy_reads),
        with_decoder(any_path_can_be_read_from_a_copy_later),
        with_decoder(a_block_used_again_is_not_taken_for_the_old_event),
        with_decoder(a_copy_can_be_read_while_another_event_is_lent),
        with_decoder(text_read_from_a_copy_lives_as_long_as_the_copy),
        with_decoder(text_events_can_be_read_lazily_too),
        with_decoder(a_thousand_wanted_names_are_all_found),
        with_decoder(plans_may_take_turns_on_one_decoder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
