// SPDX-License-Identifier: Apache-2.0
/* Tables are replaced under lanes that read them: each event is enriched from one snapshot or the next, never from
 * parts of both, and never from one that was there before. ctest: threads */
#include <sched.h>

#include "base/mem.h"
#include "engine.h"
#include "flow/plan_emit.h"
#include "rules_fixture.h"

enum { LANES = 2, SWITCHES = 60, SEEN_EACH = 5, MOST = 64 };

typedef struct fake_feed {
    tw_feed base;
    char text[MOST][64];
    int64_t offset;
} fake_feed;

typedef struct desk {
    tw_clock clock;
    uint64_t events, mixed;
    int64_t newest[LANES]; /* generation seen, by partition */
    uint64_t steps_back;
} desk;

static int give(tw_feed *base, tw_frame *frames, int max)
{
    fake_feed *f = (fake_feed *)base;
    int count = max < 8 ? max : 8;

    for (int i = 0; i < count; i++) {
        int n = snprintf(f->text[i], sizeof f->text[i], "{\"host\":\"h%lld\"}",
                         (long long)(f->offset % 7));
        frames[i] = (tw_frame){
            .data = f->text[i], .size = (size_t)n, .offset = f->offset++, .time_ms = 1};
    }
    return count;
}

static void take_back(tw_feed *base, tw_frame *frames, int count)
{
    (void)base, (void)frames, (void)count;
}

static void ignore_signal(void *self, const tw_signal *s)
{
    (void)self, (void)s;
}

/* Both columns of a row have the number of the table's generation. */
static void on_emitted(void *self, const tw_emitted *e)
{
    desk *d = self;
    json_t *o = json_loadb(e->json, e->json_size, 0, NULL);
    json_int_t a = json_integer_value(json_object_get(o, "a"));
    json_int_t b = json_integer_value(json_object_get(o, "b"));
    json_int_t p = json_integer_value(json_object_get(o, "p"));

    assert_true(p >= 0 && p < LANES);
    d->events++;
    d->mixed += a != b || a == 0;
    d->steps_back += a < d->newest[p];
    d->newest[p] = a;
    json_decref(o);
}

static tw_table_view *view_of(int generation)
{
    json_t *rows = json_object(), *tables = json_object();

    for (int i = 0; i < 7; i++) {
        char host[16];
        snprintf(host, sizeof host, "h%d", i);
        json_object_set_new(
            rows, host,
            json_pack("{s:s, s:i, s:i}", "host", host, "a", generation, "b", generation));
    }
    json_object_set_new(tables, "inventory", rows);
    tw_table_view *view = tw_table_view_of_json(tables, 0);
    json_decref(tables);
    return view;
}

static const char enriched[] =
    "rule \"a/b\" { inputs = { ev = from \"events\" {} }, enrich = { inv = lookup { "
    "\"inventory\", key = \"host\" } }, emit = to \"out\" { a = \"${inv.a}\", b = "
    "\"${inv.b}\", p = \"${@partition}\" } }";

static void each_event_is_enriched_from_one_snapshot(void **state)
{
    rules_fixture *x = *state;
    desk d = {0};
    fake_feed feeds[LANES] = {0};
    tw_feed_state fed[LANES];
    tw_source_type type = {.poll = give, .release = take_back};
    tw_stats *stats = tw_stats_new();
    tw_err err = {0};
    tw_switch_report report;
    int64_t next;

    tw_clock_init_real(&d.clock);
    load_rules(x, enriched);
    assert_string_equal(first_finding(x), "");
    assert_int_equal(tw_rule_watchdog_start(&err), TW_OK);
    tw_engine_options options = {
        .lanes = LANES,
        .clock = &d.clock,
        .streams = x->options.streams,
        .stats = stats,
        .tables = view_of(1),
        .tells_all_emitted = true,
        .ports = {.signal = ignore_signal, .emitted = on_emitted, .self = &d}};
    tw_engine *e = tw_engine_new(&options);
    assert_int_equal(tw_engine_start(e, &err), TW_OK);
    assert_int_equal(tw_engine_switch(e, x->set, NULL, NULL, &report, &err), TW_OK);
    for (int i = 0; i < LANES; i++) {
        fed[i] = (tw_feed_state){.feed = &feeds[i].base,
                                 .type = &type,
                                 .partition = i,
                                 .stream = tw_streams_find(x->options.streams, "events")};
        tw_engine_feed_add(e, &fed[i]);
    }
    for (int generation = 2; generation <= SWITCHES; generation++) {
        uint64_t until = d.events + SEEN_EACH;
        while (d.events < until) {
            if (tw_engine_collect(e) == 0)
                sched_yield();
        }
        tw_engine_set_tables(e, view_of(generation));
    }
    for (int i = 0; i < LANES; i++)
        tw_engine_feed_remove(e, &fed[i], &next);
    tw_engine_collect(e);
    assert_int_equal(d.mixed, 0);
    assert_int_equal(d.steps_back, 0);
    assert_true(d.newest[0] >= SWITCHES - 1 || d.newest[1] >= SWITCHES - 1);
    tw_engine_stop(e);
    tw_engine_free(e);
    tw_stats_free(stats);
    tw_rule_watchdog_stop();
}

static const char patient[] =
    "rule \"a/patient\" { key = { \"host\" }, clock = { lateness = \"1h\" }, inputs = { "
    "ev = "
    "from \"events\" {} }, detect = change { \"ev\", of = \"host\" }, alert = incident "
    "{} } "
    "rule \"a/other\" { key = { \"host\" }, clock = { lateness = \"2h\" }, inputs = { ev "
    "= from "
    "\"events\" {} }, detect = change { \"ev\", of = \"host\" }, alert = incident {} }";
static const char hasty[] =
    "rule \"a/other\" { key = { \"host\" }, clock = { lateness = \"2h\" }, inputs = { ev "
    "= from "
    "\"events\" {} }, detect = change { \"ev\", of = \"host\" }, alert = incident {} }";

/* Of a rule that is removed, events wait in memory of the lane, which goes on with it. */
static void a_rule_is_removed_while_its_events_wait(void **state)
{
    rules_fixture *x = *state;
    fake_feed feed = {0};
    tw_source_type type = {.poll = give, .release = take_back};
    tw_feed_state fed = {.feed = &feed.base,
                         .type = &type,
                         .stream = tw_streams_find(x->options.streams, "events")};
    tw_stats *stats = tw_stats_new();
    tw_clock clock;
    tw_err err = {0};
    tw_switch_report report;
    int64_t next;

    tw_clock_init_real(&clock);
    assert_int_equal(tw_rule_watchdog_start(&err), TW_OK);
    tw_engine_options options = {.lanes = 1,
                                 .clock = &clock,
                                 .streams = x->options.streams,
                                 .stats = stats,
                                 .max_waiting = 1000,
                                 .ports = {.signal = ignore_signal}};
    tw_engine *e = tw_engine_new(&options);
    assert_int_equal(tw_engine_start(e, &err), TW_OK);
    tw_engine_feed_add(e, &fed);
    for (int i = 0; i < 20; i++) {
        uint64_t until = tw_stats_sum(stats, "events_total") + 500;
        load_rules(x, i % 2 ? hasty : patient);
        assert_string_equal(first_finding(x), "");
        assert_int_equal(tw_engine_switch(e, x->set, NULL, NULL, &report, &err), TW_OK);
        while (tw_stats_sum(stats, "events_total") < until)
            sched_yield();
    }
    tw_engine_feed_remove(e, &fed, &next);
    tw_engine_stop(e);
    tw_engine_free(e);
    tw_stats_free(stats);
    tw_rule_watchdog_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_event_is_enriched_from_one_snapshot,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(a_rule_is_removed_while_its_events_wait,
                                        open_rules, shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
