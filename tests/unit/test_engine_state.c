// SPDX-License-Identifier: Apache-2.0
/* An engine's state as bytes: read back by another engine, and refused when it is cut off anywhere. */
#include "rules_fixture.h"

#include "engine.h"
#include "replay.h"

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

typedef struct desk {
    tw_replay *replay;
    uint32_t fired;
} desk;

static void on_output(void *self, int64_t at_ms, const json_t *object)
{
    desk *d = self;
    const char *status = json_string_value(json_object_get(object, "status"));

    (void)at_ms;
    d->fired += status && strcmp(status, "firing") == 0;
}

static void open_desk(desk *d, const rules_fixture *x)
{
    tw_replay_options options = {.files = x->set,
                                 .streams = x->options.streams,
                                 .until_ms = TW_TIME_NONE,
                                 .output = on_output,
                                 .output_self = d};
    tw_findings findings = {0};
    tw_err err = {0};

    *d = (desk){0};
    d->replay = tw_replay_new(&options, &findings, &err);
    assert_non_null(d->replay);
    tw_findings_done(&findings);
}

static void put(desk *d, int64_t at_ms, const char *stream, int64_t ts_ms)
{
    char json[100];
    tw_err err = {0};

    snprintf(json, sizeof json, "{\"service\":\"cart\",\"ts\":%lld}", (long long)ts_ms);
    assert_int_equal(tw_replay_move(d->replay, at_ms, &err), TW_OK);
    assert_int_equal(
        tw_replay_event(d->replay, stream, 0, json, strlen(json), TW_TIME_NONE, &err),
        TW_OK);
}

#define T INT64_C(1732182000000)

/* One event is in the join, one still waits for its turn. */
static void save_half(rules_fixture *x, tw_buf *out)
{
    desk d;
    tw_err err = {0};

    load_rules(x, rule_text);
    assert_string_equal(first_finding(x), "");
    open_desk(&d, x);
    put(&d, T, "events", T);
    put(&d, T + 20000, "requests", T + 20000);
    tw_buf_init(out, 1 << 20);
    assert_int_equal(tw_engine_save(tw_replay_engine(d.replay), out, &err), TW_OK);
    tw_replay_free(d.replay);
}

static void another_engine_goes_on_where_the_first_was(void **state)
{
    desk d;
    tw_buf bytes;
    tw_err err = {0};

    save_half(*state, &bytes);
    open_desk(&d, *state);
    assert_int_equal(
        tw_engine_load(tw_replay_engine(d.replay), bytes.data, bytes.len, &err), TW_OK);
    put(&d, T + 30000, "requests", T + 30000);
    put(&d, T + 50000, "requests", T + 50000);
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
        desk d;
        tw_err err = {0};
        memcpy(part, bytes.data, n);
        open_desk(&d, *state);
        assert_true(tw_engine_load(tw_replay_engine(d.replay), part, n, &err) < 0);
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
    desk d = {0};

    save_half(x, &bytes);
    tw_replay_options options = {.files = x->set,
                                 .streams = x->options.streams,
                                 .lanes = 2,
                                 .until_ms = TW_TIME_NONE,
                                 .output = on_output,
                                 .output_self = &d};
    d.replay = tw_replay_new(&options, NULL, &err);
    assert_non_null(d.replay);
    assert_int_equal(
        tw_engine_load(tw_replay_engine(d.replay), bytes.data, bytes.len, &err),
        TW_EUNSUPPORTED);
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
