// SPDX-License-Identifier: Apache-2.0
/* An event of `resolve.on` goes to the shore when its key may have an incident, and only then. */
#include "detect/raised.h"
#include "engine_fixture.h"

static tw_key key_of(const char *text)
{
    return tw_key_from_bytes((const uint8_t *)text, (uint32_t)strlen(text));
}

static void note(tw_raised *r, tw_signal_kind kind, tw_level level, const char *key)
{
    tw_signal s = {.kind = kind, .level = level, .key = key_of(key)};
    tw_raised_note(r, &s);
}

static bool ends(tw_raised *r, const char *key)
{
    tw_key k = key_of(key);
    return tw_raised_end(r, &k, 0);
}

static void raise_at(tw_raised *r, const char *key, tw_level from, tw_level level,
                     int64_t at_ms)
{
    tw_signal s = {.kind = TW_SIGNAL_LEVEL,
                   .from = from,
                   .level = level,
                   .at_ms = at_ms,
                   .key = key_of(key)};
    tw_raised_note(r, &s);
}

static void what_was_raised_later_stays(void **state)
{
    tw_key key = key_of("a");
    (void)state;
    tw_raised *r = tw_raised_new(10), *loaded = tw_raised_new(10);
    tw_buf bytes;
    tw_err err = {0};
    raise_at(r, "a", TW_LEVEL_OK, TW_LEVEL_WARN, 10);
    raise_at(r, "a", TW_LEVEL_WARN, TW_LEVEL_CRIT, 30);
    raise_at(r, "a", TW_LEVEL_CRIT, TW_LEVEL_WARN, 50);
    assert_false(tw_raised_end(r, &key, 29));
    tw_buf_init(&bytes, 1000);
    tw_raised_save(r, &bytes);
    tw_state_in in = tw_state_in_of(bytes.data, bytes.len);
    assert_int_equal(tw_raised_load(loaded, &in, &err), TW_OK);
    assert_false(tw_raised_end(loaded, &key, 29));
    assert_true(tw_raised_end(loaded, &key, 30));
    assert_true(tw_raised_end(r, &key, 30));
    assert_false(tw_raised_end(r, &key, 60));
    tw_buf_done(&bytes);
    tw_raised_free(r);
    tw_raised_free(loaded);
}

static void a_key_that_goes_on_after_its_end_may_end_again(void **state)
{
    tw_key key = key_of("a");
    (void)state;
    tw_raised *r = tw_raised_new(10);
    raise_at(r, "a", TW_LEVEL_OK, TW_LEVEL_CRIT, 10);
    assert_true(tw_raised_end(r, &key, 20));
    raise_at(r, "a", TW_LEVEL_CRIT, TW_LEVEL_WARN, 30); /* its incident flaps */
    assert_true(tw_raised_end(r, &key, 40));
    tw_raised_free(r);
}

static void what_was_raised_ends_once(void **state)
{
    (void)state;
    tw_raised *r = tw_raised_new(10);
    assert_false(ends(r, "a"));
    note(r, TW_SIGNAL_OCCURRENCE, TW_LEVEL_CRIT, "a");
    note(r, TW_SIGNAL_OCCURRENCE, TW_LEVEL_CRIT, "a");
    note(r, TW_SIGNAL_LEVEL, TW_LEVEL_WARN, "b");
    note(r, TW_SIGNAL_PENDING, TW_LEVEL_WARN, "c");
    assert_int_equal(tw_raised_count(r), 2);
    assert_true(ends(r, "a"));
    assert_false(ends(r, "a"));
    note(r, TW_SIGNAL_LEVEL, TW_LEVEL_OK, "b");
    assert_false(ends(r, "b"));
    tw_raised_free(r);
}

static void with_too_many_every_key_may_end_something(void **state)
{
    (void)state;
    tw_raised *r = tw_raised_new(2), *later = tw_raised_new(2), *fresh = tw_raised_new(2);
    note(r, TW_SIGNAL_OCCURRENCE, TW_LEVEL_CRIT, "a");
    note(r, TW_SIGNAL_OCCURRENCE, TW_LEVEL_CRIT, "b");
    assert_false(ends(r, "x"));
    note(r, TW_SIGNAL_OCCURRENCE, TW_LEVEL_CRIT, "c");
    assert_int_equal(tw_raised_count(r), 0);
    assert_true(ends(r, "x") && ends(r, "a") && ends(r, "a"));
    tw_raised_adopt(later, r);
    assert_true(ends(later, "x"));
    tw_raised_adopt(fresh, NULL);
    assert_true(ends(fresh, "x"));
    tw_raised_free(r);
    tw_raised_free(later);
    tw_raised_free(fresh);
}

static void it_goes_through_a_reload_and_through_bytes(void **state)
{
    (void)state;
    tw_raised *r = tw_raised_new(5), *adopted = tw_raised_new(5),
              *loaded = tw_raised_new(5);
    tw_buf bytes;
    tw_err err = {0};
    note(r, TW_SIGNAL_OCCURRENCE, TW_LEVEL_CRIT, "a");
    note(r, TW_SIGNAL_OCCURRENCE, TW_LEVEL_CRIT, "b");
    tw_raised_adopt(adopted, r);
    tw_buf_init(&bytes, 1000);
    tw_raised_save(adopted, &bytes);
    for (size_t n = 0; n < bytes.len; n++) {
        tw_raised *half = tw_raised_new(5);
        tw_state_in in = tw_state_in_of(bytes.data, n);
        assert_int_equal(tw_raised_load(half, &in, &err), TW_EPARSE);
        tw_raised_free(half);
    }
    tw_state_in in = tw_state_in_of(bytes.data, bytes.len);
    assert_int_equal(tw_raised_load(loaded, &in, &err), TW_OK);
    assert_false(ends(loaded, "c"));
    assert_true(ends(loaded, "a") && ends(loaded, "b"));
    tw_buf_done(&bytes);
    tw_raised_free(r);
    tw_raised_free(adopted);
    tw_raised_free(loaded);
}

/* ---- on a lane --------------------------------------------------------------------- */

static void count_resolves(void *self, const tw_signal *s)
{
    *(int *)self += s->kind == TW_SIGNAL_RESOLVE;
}

static const char pairs[] =
    "rule \"a/b\" { key = { \"host\" }, inputs = { bad = from \"events\" {}, good = from "
    "\"requests\" {} }, detect = handler { on_event = function(e, ctx) if e['@stream'] "
    "== 'events' then "
    "ctx.fire { severity = \"warn\" } end end }, alert = incident { resolve = { on = "
    "\"good\" } } }";

static void put(engine_desk *d, const tw_stream *stream, int64_t at_ms)
{
    static const char json[] = "{\"host\":\"h\"}";
    tw_frame frame = {.data = json, .size = sizeof json - 1, .time_ms = at_ms};

    tw_clock_set(&d->clock, at_ms);
    tw_engine_step(d->engine, stream, 0, 0, &frame);
    tw_engine_collect(d->engine);
}

static void what_ends_nothing_stays_on_the_lane(void **state)
{
    rules_fixture *x = *state;
    tw_stream *bad = tw_streams_find(x->options.streams, "events");
    tw_stream *good = tw_streams_find(x->options.streams, "requests");
    int resolves = 0;
    int64_t t = T;
    engine_desk d;

    engine_open(&d, x, pairs, count_resolves, &resolves);
    for (int n = 0; n < 10; n++)
        put(&d, good, t += 1000);
    assert_true(resolves <= 1); /* a timer may be due earlier than it says */
    resolves = 0;
    put(&d, bad, t += 1000);
    engine_switch(&d, x);
    for (int n = 0; n < 10; n++)
        put(&d, good, t += 1000);
    assert_in_range(resolves, 1, 2);
    engine_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_raised_ends_once),
        cmocka_unit_test(what_was_raised_later_stays),
        cmocka_unit_test(a_key_that_goes_on_after_its_end_may_end_again),
        cmocka_unit_test(with_too_many_every_key_may_end_something),
        cmocka_unit_test(it_goes_through_a_reload_and_through_bytes),
        cmocka_unit_test_setup_teardown(what_ends_nothing_stays_on_the_lane, open_rules,
                                        shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
