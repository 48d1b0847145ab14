// SPDX-License-Identifier: Apache-2.0
/* An engine's state as bytes: read back by another engine, and refused when it is cut off anywhere. */
#include "engine_fixture.h"

static const char rule_text[] =
    "rule \"ops/scaled\" {\n"
    "  key = { \"service\" }, clock = { lateness = \"10s\", time = \"ts\" },\n"
    "  inputs = { up = from \"events\" {}, err = from \"requests\" {} },\n"
    "  detect = join { \"up\", \"err\", within = { after = \"1m\" }, need = { right = 2 "
    "} },\n"
    "  alert = incident { title = \"${right.count}\" },\n"
    "}\n"
    "rule \"ops/counter\" {\n"
    "  key = { \"service\" }, inputs = { ev = from \"requests\" {} },\n"
    "  detect = handler { on_event = function(e, ctx)\n"
    "    ctx.state.incr(\"seen\") ctx.state.set(\"name\", e.service) ctx.timer(\"t\", "
    "\"1h\")\n"
    "  end, on_timer = function() end },\n"
    "  alert = incident { labels = { ts = \"${ts}\" } },\n"
    "}\n";

static void put(replay_desk *d, int64_t at_ms, const char *stream)
{
    char json[100];

    snprintf(json, sizeof json, "{\"service\":\"cart\",\"ts\":%lld}", (long long)at_ms);
    replay_put(d, at_ms, stream, json);
}

/* One event is in the join, one still waits for its turn. */
static void save_half(rules_fixture *x, tw_buf *out)
{
    replay_desk d;

    load_rules(x, rule_text);
    assert_string_equal(first_finding(x), "");
    replay_open(&d, x, 0);
    put(&d, T, "events");
    put(&d, T + 20000, "requests");
    replay_save(&d, out);
    tw_replay_free(d.replay);
}

static void another_engine_goes_on_where_the_first_was(void **state)
{
    replay_desk d;
    tw_buf bytes;
    tw_err err = {0};

    save_half(*state, &bytes);
    replay_open(&d, *state, 0);
    assert_int_equal(replay_load(&d, bytes.data, bytes.len, &err), TW_OK);
    put(&d, T + 30000, "requests");
    put(&d, T + 50000, "requests");
    assert_int_equal(d.fired, 1);
    tw_replay_free(d.replay);
    tw_buf_done(&bytes);
}

static void a_state_that_is_cut_off_is_refused(void **state)
{
    tw_buf bytes;

    save_half(*state, &bytes);
    assert_true(bytes.len > 100);
    for (size_t n = 0; n < bytes.len; n++) {
        char *part = malloc(n + 1); /* what is read beyond it is found */
        replay_desk d;
        tw_err err = {0};
        memcpy(part, bytes.data, n);
        replay_open(&d, *state, 0);
        assert_true(replay_load(&d, part, n, &err) < 0);
        assert_true(err.text[0]);
        tw_replay_free(d.replay);
        free(part);
    }
    tw_buf_done(&bytes);
}

static void another_number_of_lanes_is_refused(void **state)
{
    rules_fixture *x = *state;
    tw_buf bytes;
    tw_err err = {0};
    replay_desk d;

    save_half(x, &bytes);
    replay_open(&d, x, 2);
    assert_int_equal(replay_load(&d, bytes.data, bytes.len, &err), TW_EUNSUPPORTED);
    tw_replay_free(d.replay);
    tw_buf_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_engine_goes_on_where_the_first_was,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(a_state_that_is_cut_off_is_refused, open_rules,
                                        shut_rules),
        cmocka_unit_test_setup_teardown(another_number_of_lanes_is_refused, open_rules,
                                        shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
