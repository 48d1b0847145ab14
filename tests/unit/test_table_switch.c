// SPDX-License-Identifier: Apache-2.0
/* Tables are replaced under lanes that read them: each event is enriched from one snapshot or the next, never from
 * parts of both, and never from one that was there before; and never by rules that came with another. ctest: threads */
#include <sched.h>

#include "flow/plan_emit.h"
#include "engine_fixture.h"

enum { LANES = 2, SWITCHES = 60, SEEN_EACH = 5, MOST = 64 };

typedef struct fake_feed {
    tw_feed base;
    char text[MOST][64];
    int64_t offset;
} fake_feed;

typedef struct desk {
    engine_desk on;
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

static void load_enriching(rules_fixture *x, const char *b)
{
    char text[256];

    snprintf(text, sizeof text,
             "rule \"a/b\" { inputs = { ev = from \"events\" {} }, enrich = { inv = "
             "lookup { \"inventory\", key = \"host\" } }, emit = to \"out\" { a = "
             "\"${inv.a}\", b = %s, p = \"${@partition}\" } }",
             b);
    load_rules(x, text);
    assert_string_equal(first_finding(x), "");
}

static void replace_tables(desk *d, rules_fixture *x, int generation)
{
    (void)x;
    tw_engine_set_tables(d->on.engine, view_of(generation));
}

/* The rule has the number of the table that comes with it. */
static void replace_both(desk *d, rules_fixture *x, int generation)
{
    char number[16];
    tw_switch_report report;
    tw_err err = {0};

    snprintf(number, sizeof number, "%d", generation);
    load_enriching(x, number);
    tw_switch to = {.files = x->set, .tables = view_of(generation)};
    assert_int_equal(tw_engine_switch(d->on.engine, &to, &report, &err), TW_OK);
}

static void see_generations(rules_fixture *x, const char *b,
                            void (*replace)(desk *d, rules_fixture *x, int generation))
{
    desk d = {0};
    fake_feed feeds[LANES] = {0};
    tw_feed_state fed[LANES];
    tw_source_type type = {.poll = give, .release = take_back};
    int64_t next;

    engine_open_lanes(
        &d.on, x,
        (tw_engine_options){
            .lanes = LANES,
            .tables = view_of(1),
            .tells_all_emitted = true,
            .ports = {.signal = ignore_signal, .emitted = on_emitted, .self = &d}});
    load_enriching(x, b);
    engine_switch(&d.on, x);
    for (int i = 0; i < LANES; i++) {
        fed[i] = (tw_feed_state){.feed = &feeds[i].base,
                                 .type = &type,
                                 .partition = i,
                                 .stream = tw_streams_find(x->options.streams, "events")};
        tw_engine_feed_add(d.on.engine, &fed[i]);
    }
    for (int generation = 2; generation <= SWITCHES; generation++) {
        uint64_t until = d.events + SEEN_EACH;
        while (d.events < until) {
            if (tw_engine_collect(d.on.engine) == 0)
                sched_yield();
        }
        replace(&d, x, generation);
    }
    for (int i = 0; i < LANES; i++)
        tw_engine_feed_remove(d.on.engine, &fed[i], &next);
    tw_engine_collect(d.on.engine);
    assert_int_equal(d.mixed, 0);
    assert_int_equal(d.steps_back, 0);
    assert_true(d.newest[0] >= SWITCHES - 1 || d.newest[1] >= SWITCHES - 1);
    engine_close(&d.on);
}

static void each_event_is_enriched_from_one_snapshot(void **state)
{
    see_generations(*state, "\"${inv.b}\"", replace_tables);
}

static void rules_and_the_tables_they_came_with_switch_at_one_point(void **state)
{
    see_generations(*state, "1", replace_both);
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
    engine_desk d;
    int64_t next;

    engine_open_lanes(&d, x, (tw_engine_options){.max_waiting = 1000});
    tw_engine_feed_add(d.engine, &fed);
    for (int i = 0; i < 20; i++) {
        uint64_t until = tw_stats_sum(d.stats, "events_total") + 500;
        engine_load(&d, x, i % 2 ? hasty : patient);
        while (tw_stats_sum(d.stats, "events_total") < until)
            sched_yield();
    }
    tw_engine_feed_remove(d.engine, &fed, &next);
    engine_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_event_is_enriched_from_one_snapshot,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(
            rules_and_the_tables_they_came_with_switch_at_one_point, open_rules,
            shut_rules),
        cmocka_unit_test_setup_teardown(a_rule_is_removed_while_its_events_wait,
                                        open_rules, shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
