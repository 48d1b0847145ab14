// SPDX-License-Identifier: Apache-2.0
/* What a decoder learned from earlier events must never be seen in what it reads from the next one: a
 * decoder that has read everything before agrees with one that has read nothing. */
#include "decode_fixture.h"

static void learn(fixture *x, const char *text)
{
    for (int n = 0; n < 3; n++) {
        assert_int_equal(decode(x, text), 1);
    }
}

static int64_t read_int(fixture *x, int path)
{
    tw_value v = tw_event_slot(x->events[0], x->slots[path]);
    return v.type == TW_INT ? v.i : -1;
}

static void keys_may_come_in_any_order(void **state)
{
    fixture *x = *state;
    learn(x, "{\"a\":1,\"b\":2,\"message\":3}");
    decode(x, "{\"b\":4,\"message\":5,\"a\":6}");
    assert_int_equal(read_int(x, A), 6);
    assert_int_equal(read_int(x, B), 4);
    assert_int_equal(read_int(x, MESSAGE), 5);
    decode(x, "{\"a\":7,\"message\":8}");
    assert_int_equal(read_int(x, A), 7);
    assert_int_equal(read_int(x, B), -1);
    assert_int_equal(read_int(x, MESSAGE), 8);
    decode(x, "{\"new\":0,\"a\":9,\"newer\":0,\"b\":10}");
    assert_int_equal(read_int(x, A), 9);
    assert_int_equal(read_int(x, B), 10);
}

static void keys_that_look_alike_are_different(void **state)
{
    static const char *const alike[] = {
        "{\"message\":1}",  "{\"messagE\":2}",   "{\"Message\":3}",   "{\"messages\":4}",
        "{\"messag\":5}",   "{\"message \":6}",  "{\"m\":7}",         "{\"messa ge\":8}",
        "{\"messagee\":9}", "{\"mmessage\":10}", "{\"message:\":11}", "{\"mes\":12}"};
    fixture *x = *state;
    for (size_t before = 0; before < sizeof alike / sizeof alike[0]; before++) {
        for (size_t n = 0; n < sizeof alike / sizeof alike[0]; n++) {
            learn(x, alike[before]);
            decode(x, alike[n]);
            assert_int_equal(read_int(x, MESSAGE), n == 0 ? 1 : -1);
        }
    }
}

/* Reads an event of which only one path is wanted. */
static int64_t read_one(fixture *x, const tw_decode_plan *plan, uint32_t slot,
                        const char *text)
{
    x->plan = (tw_decode_plan *)plan;
    decode(x, text);
    tw_value v = tw_event_slot(x->events[0], slot);
    return v.type == TW_INT ? v.i : -1;
}

static void long_keys_are_compared_whole(void **state)
{
    static const char *const names[] = {
        "first_of_the_long_names", "first_of_two_long_names", "first_of",
        "first_of_the_names_that_are_much_too_long_to_be_remembered"};
    fixture *x = *state;
    tw_decode_plan *own = x->plan;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        char text[256];
        uint32_t slot = (uint32_t)tw_fields_slot(x->stream->fields, names[n], NULL);
        tw_projection *one = tw_projection_new(x->stream->fields, &slot, 1);
        tw_decode_plan *plan = tw_decode_plan_new(x->stream, one, TW_SLOT_TIME);
        for (size_t k = 0; k < 16; k++) {
            snprintf(text, sizeof text, "{\"%s\":1,\"other\":2}", names[k % 4]);
            assert_int_equal(read_one(x, plan, slot, text), k % 4 == n ? 1 : -1);
        }
        tw_decode_plan_free(plan);
        tw_projection_free(one);
    }
    x->plan = own;
}

static void a_name_means_something_else_in_another_object(void **state)
{
    fixture *x = *state;
    learn(x, "{\"labels\":{\"zone\":1,\"a\":2},\"a\":3,\"zone\":4}");
    assert_int_equal(read_int(x, ZONE), 1);
    assert_int_equal(read_int(x, A), 3);
    learn(x,
          "{\"zone\":5,\"a\":{\"zone\":6},\"labels\":{\"a\":7,\"labels\":{\"zone\":8}}}");
    assert_int_equal(read_int(x, ZONE), -1);
    learn(x, "{\"zone\":9,\"labels\":{\"labels\":0,\"zone\":10},\"zone\":11}");
    assert_int_equal(read_int(x, ZONE), 10);
}

static void escapes_and_space_are_seen_behind_a_learned_key(void **state)
{
    fixture *x = *state;
    learn(x, "{\"b\":0,\"a\":1}");
    decode(x, "{\"b\":0,\"\\u0061\":2}");
    assert_int_equal(read_int(x, A), 2);
    decode(x, "{\"b\":0 , \"a\" : 3 }");
    assert_int_equal(read_int(x, A), 3);
    decode(x, "{\"b\":\"\\n\",\"a\":4}");
    assert_int_equal(read_int(x, A), 4);
    assert_text(tw_event_slot(x->events[0], x->slots[B]), TW_STRING, "\n");
}

static void broken_text_is_broken_also_where_the_key_is_known(void **state)
{
    static const char *const broken[] = {
        "{\"b\":1,\"a\"}",       "{\"b\":1,\"a\":}",        "{\"b\":1,\"a\":2",
        "{\"b\":1,a\":2,\"c\"}", "{\"b\":1,[\"a\":2]}",     "{\"b\":1 \"a\":2}",
        "{\"b\":1,,\"a\":2}",    "{\"b\":\"\\q\",\"a\":2}", "{\"b\":1,\"a\"::2}"};
    fixture *x = *state;
    for (size_t n = 0; n < sizeof broken / sizeof broken[0]; n++) {
        learn(x, "{\"b\":1,\"a\":2}");
        assert_int_equal(decode(x, broken[n]), TW_EPARSE);
    }
}

enum { PLANS = 20 };

/* More plans than a decoder has shapes; those of even number want b, the others a. */
static void plans_do_not_mix(void **state)
{
    fixture *x = *state;
    tw_projection *wishes[2] = {tw_projection_new(x->stream->fields, &x->slots[B], 1),
                                tw_projection_new(x->stream->fields, &x->slots[A], 1)};
    tw_decode_plan *plans[PLANS], *own = x->plan;
    for (int n = 0; n < PLANS; n++) {
        plans[n] = tw_decode_plan_new(x->stream, wishes[n / 8 % 2], TW_SLOT_TIME);
    }
    for (int n = 0; n < 3 * PLANS; n++) {
        int wanted = n % PLANS / 8 % 2 ? A : B;
        assert_int_equal(
            read_one(x, plans[n % PLANS], x->slots[wanted], "{\"a\":1,\"b\":2,\"c\":3}"),
            wanted == A ? 1 : 2);
    }
    for (int n = 0; n < PLANS; n++) {
        tw_decode_plan_free(plans[n]);
    }
    tw_projection_free(wishes[0]);
    tw_projection_free(wishes[1]);
    x->plan = own;
}

/* ---- by chance --------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static void put_key(uint32_t *seed, tw_buf *out)
{
    static const char *const names[] = {
        "a",    "b",    "labels", "zone",     "message",
        "x.y",  "",     "deep",   "er",       "k",
        "tags", "host", "time2",  "a\\u0062", "namespace_of_the_pod"};
    uint32_t name = next_random(seed) % (sizeof names / sizeof names[0] + 8);

    if (name < sizeof names / sizeof names[0]) {
        tw_buf_printf(out, "\"%s\":", names[name]);
    } else {
        tw_buf_printf(out, "\"key%u\":", next_random(seed) % 90);
    }
}

static void put_object(uint32_t *seed, tw_buf *out, int depth)
{
    uint32_t members = next_random(seed) % 6;

    tw_buf_printf(out, "{");
    for (uint32_t n = 0; n < members; n++) {
        tw_buf_printf(out, "%s", n ? "," : "");
        put_key(seed, out);
        if (next_random(seed) % 3 == 0 && depth < 3) {
            put_object(seed, out, depth + 1);
        } else if (next_random(seed) % 2) {
            tw_buf_printf(out, "%u", next_random(seed));
        } else {
            tw_buf_printf(out, "\"t\\t%u\"", next_random(seed) % 10);
        }
    }
    tw_buf_printf(out, "}");
}

static void assert_same_event(fixture *a, fixture *b, const tw_buf *text)
{
    assert_int_equal(decode_bytes(a, text->data, text->len),
                     decode_bytes(b, text->data, text->len));
    for (int n = 0; a->rc == 1 && n < PATHS; n++) {
        tw_value v = tw_event_slot(a->events[0], a->slots[n]);
        tw_value w = tw_event_slot(b->events[0], b->slots[n]);
        if (v.type != w.type || !tw_value_equal(v, w)) {
            fail_msg("%s differs in %.*s", paths[n], (int)text->len, text->data);
        }
    }
}

static void a_decoder_that_learned_agrees_with_a_new_one(void **state)
{
    fixture *old = *state, *fresh;
    tw_decode_limits limits = TW_DECODE_LIMITS_DEFAULT;
    uint32_t seed = 20261121;
    tw_buf text;
    tw_buf_init(&text, 1 << 16);
    make((void **)&fresh);
    for (int n = 0; n < 4000; n++) {
        tw_buf_reset(&text);
        put_object(&seed, &text, 0);
        limit(fresh, limits);
        assert_same_event(old, fresh, &text);
    }
    unmake((void **)&fresh);
    tw_buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_decoder(keys_may_come_in_any_order),
        with_decoder(keys_that_look_alike_are_different),
        with_decoder(long_keys_are_compared_whole),
        with_decoder(a_name_means_something_else_in_another_object),
        with_decoder(escapes_and_space_are_seen_behind_a_learned_key),
        with_decoder(broken_text_is_broken_also_where_the_key_is_known),
        with_decoder(plans_do_not_mix),
        with_decoder(a_decoder_that_learned_agrees_with_a_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
