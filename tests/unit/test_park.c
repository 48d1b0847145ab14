// SPDX-License-Identifier: Apache-2.0
/* A rule goes and comes back while events go by. What it tells after that it would have told, too, had it
 * never been away, or had it begun when it came back: never a page of its own. With a source guard it may be
 * early by one guard, since it is not known whether the source lived at that moment. */
#include "rules_fixture.h"

#include "engine.h"
#include "replay.h"

enum { ROUNDS = 120, EVENTS = 90, MAX_TOLD = 4096 };

#define T INT64_C(1732182000000)
#define SECOND INT64_C(1000)

static const char other_text[] =
    "rule \"ops/other\" {\n"
    "  key = { \"host\" }, inputs = { ev = from \"keyed\" {} },\n"
    "  detect = level { of = count \"ev\", over = \"1m\", crit = { above = 1e9 } },\n"
    "  alert = incident {},\n"
    "}\n";

/* `%s` of it is an option more. Streams: requests and events. */
static const char *const detectors[] = {
    "missing { \"a\", every = \"20s\", grace = \"5s\" }",
    "missing { \"a\", every = \"20s\", grace = \"5s\", source_guard = \"8s\" }",
    "missing { \"a\", every = \"20s\", grace = \"5s\", stop_on = \"b\" }",
    "join { \"a\", \"b\", within = { before = \"10s\", after = \"30s\" } }",
    "join { \"a\", \"b\", within = { after = \"30s\" }, emit = \"first\" }",
    "join { \"a\", \"b\", within = { after = \"30s\" }, kind = \"anti\" }",
    "together { \"a\", \"b\", within = \"20s\" }",
    "seq { { \"a\" }, { \"b\", within = \"40s\" } }",
    "seq { { \"a\" }, { \"b\", within = \"40s\" }, overlap = \"every\" }",
    "seq { { \"a\", as = \"x\" }, { \"b\", within = \"40s\", where = function(e, m) "
    "return "
    "e.n == m.x.n end } }",
    "seq { { \"a\" }, { absent = \"b\", lasting = \"25s\" } }",
    "seq { { \"a\" }, { absent = \"b\" }, { \"a\", within = \"40s\" }, overlap = "
    "\"oldest\" "
    "}",
    "level { of = count \"a\", over = \"30s\", crit = { below = 2 } }",
    "level { of = count \"a\", over = \"30s\", crit = { at_least = 3, hold = \"5s\" } }",
    "change { \"a\", of = \"n\" }",
    "session { gap = \"15s\", where = function(s) return s.count < 3 end }",
    "handler { on_event = function(e, ctx) ctx.timer(\"dead\", \"25s\") ctx.resolve() "
    "end, "
    "on_timer = function(n, ctx) ctx.fire{} end }",
};

typedef struct told {
    int64_t at_ms;
    bool firing;
    char id[64];
} told;

typedef struct desk {
    tw_replay *replay;
    told list[MAX_TOLD];
    uint32_t count;
    char found[128];
} desk;

typedef struct event {
    int64_t at_ms;
    const char *stream;
    char json[64];
} event;

typedef struct scene {
    tw_rule_files *rule, *other;
    rules_fixture *x;
    event events[EVENTS];
    int64_t gone_ms, back_ms, end_ms;
    bool restarts; /* while it is parked */
} scene;

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

static void on_output(void *self, int64_t at_ms, const json_t *object)
{
    desk *d = self;
    const char *status = json_string_value(json_object_get(object, "status"));
    const char *id = json_string_value(json_object_get(object, "incident"));

    assert_non_null(status);
    assert_true(d->count < MAX_TOLD);
    told *t = &d->list[d->count++];
    *t = (told){.at_ms = at_ms, .firing = strcmp(status, "firing") == 0};
    snprintf(t->id, sizeof t->id, "%s", id);
}

static void open_desk(desk *d, const scene *s, tw_rule_files *files)
{
    tw_replay_options options = {.files = files,
                                 .streams = s->x->options.streams,
                                 .until_ms = TW_TIME_NONE,
                                 .output = on_output,
                                 .output_self = d};
    tw_err err = {0};

    d->count = 0;
    d->replay = tw_replay_new(&options, NULL, &err);
    assert_non_null(d->replay);
}

static void move(desk *d, int64_t at_ms)
{
    tw_err err = {0};

    assert_int_equal(tw_replay_move(d->replay, at_ms, &err), TW_OK);
}

static void switch_to(desk *d, tw_rule_files *files, int64_t at_ms)
{
    tw_err err = {0};

    move(d, at_ms);
    assert_int_equal(tw_replay_switch(d->replay, files, &err), TW_OK);
}

static void restart(desk *d, int64_t at_ms)
{
    tw_err err = {0};

    move(d, at_ms);
    if (tw_replay_restart(d->replay, &err) < 0)
        fail_msg("%s", err.text);
}

/* first: the rules to begin with; then the rule goes and comes back, or it stays as it is. */
static void play(desk *d, const scene *s, tw_rule_files *first, bool goes, bool comes)
{
    bool gone = !goes, back = !comes, restarted = !goes || !s->restarts;
    tw_err err = {0};

    open_desk(d, s, first);
    for (uint32_t i = 0; i <= EVENTS; i++) {
        int64_t at_ms = i < EVENTS ? s->events[i].at_ms : s->end_ms;
        if (!gone && at_ms >= s->gone_ms) {
            switch_to(d, s->other, s->gone_ms);
            gone = true;
        }
        if (!restarted && at_ms >= (s->gone_ms + s->back_ms) / 2) {
            restart(d, (s->gone_ms + s->back_ms) / 2);
            restarted = true;
        }
        if (!back && at_ms >= s->back_ms) {
            switch_to(d, s->rule, s->back_ms);
            back = true;
        }
        move(d, at_ms);
        if (i < EVENTS)
            assert_int_equal(tw_replay_event(d->replay, s->events[i].stream, 0,
                                             s->events[i].json, strlen(s->events[i].json),
                                             TW_TIME_NONE, &err),
                             TW_OK);
    }
    tw_replay_free(d->replay);
}

/* Whether the incident fired just before or at that time. */
static bool fires_at(const desk *d, const char *id, int64_t at_ms)
{
    bool fires = false;

    for (uint32_t i = 0; i < d->count; i++) {
        if (d->list[i].at_ms > at_ms || strcmp(d->list[i].id, id) != 0)
            continue;
        if (d->list[i].firing || d->list[i].at_ms < at_ms)
            fires = d->list[i].firing;
    }
    return fires;
}

static void make_events(scene *s, uint64_t *seed)
{
    int64_t at_ms = T;
    uint32_t busy = 1 + next_random(seed) % 6;

    for (uint32_t i = 0; i < EVENTS; i++) {
        event *e = &s->events[i];
        bool quiet = next_random(seed) % 20 == 0;
        at_ms += (quiet ? 20 : 1) * (int64_t)(next_random(seed) % (busy * 1000) + 1);
        e->at_ms = at_ms;
        e->stream = next_random(seed) % 3 == 0 ? "events" : "requests";
        snprintf(e->json, sizeof e->json, "{\"service\":\"s%u\",\"n\":%u}",
                 next_random(seed) % 3, next_random(seed) % 3);
    }
    s->gone_ms = s->events[20 + next_random(seed) % 20].at_ms + 1;
    s->back_ms = s->gone_ms + 1000 + next_random(seed) % 60000;
    s->end_ms = at_ms + 120 * SECOND;
    s->restarts = next_random(seed) % 3 == 0;
}

static tw_rule_files *load_text(rules_fixture *x, const char *text)
{
    load_rules(x, text);
    assert_string_equal(first_finding(x), "");
    return tw_rule_files_ref(x->set);
}

static tw_rule_files *load_detector(rules_fixture *x, const char *detector)
{
    char text[1200];
    bool reads_b = strstr(detector, "\"b\"") != NULL;

    snprintf(text, sizeof text,
             "rule \"ops/it\" {\n"
             "  key = { \"service\" },\n"
             "  inputs = { a = from \"requests\" {}%s },\n"
             "  detect = %s,\n"
             "  alert = incident { id = \"it:${service}\" },\n"
             "}\n",
             reads_b ? ", b = from \"events\" {}" : "", detector);
    return load_text(x, text);
}

static void check_round(scene *s, const char *detector, uint64_t number, uint64_t *pages)
{
    static desk stays, begins, revived;
    uint64_t seed = number * 7919 + 1;

    make_events(s, &seed);
    play(&stays, s, s->rule, false, false);
    play(&begins, s, s->other, false, true);
    play(&revived, s, s->rule, true, true);
    for (uint32_t i = 0; i < revived.count; i++) {
        const told *t = &revived.list[i];
        if (!t->firing || t->at_ms < s->back_ms)
            continue;
        ++*pages;
        int64_t slack_ms = strstr(detector, "source_guard") ? 8 * SECOND : 0;
        if (!fires_at(&stays, t->id, t->at_ms) && !fires_at(&begins, t->id, t->at_ms) &&
            !fires_at(&stays, t->id, t->at_ms + slack_ms))
            fail_msg(
                "%s\nround %llu: %s at %lld, gone at %lld, back at %lld: nobody else "
                "tells it",
                detector, (unsigned long long)number, t->id, (long long)(t->at_ms - T),
                (long long)(s->gone_ms - T), (long long)(s->back_ms - T));
    }
}

static void what_is_told_after_a_revival_is_never_its_own_invention(void **state)
{
    static scene s;

    s.x = *state;
    s.other = load_text(s.x, other_text);
    for (size_t n = 0; n < sizeof detectors / sizeof *detectors; n++) {
        uint64_t pages = 0;
        s.rule = load_detector(s.x, detectors[n]);
        for (uint64_t round = 0; round < ROUNDS; round++)
            check_round(&s, detectors[n], round, &pages);
        assert_true(pages > 0);
        tw_rule_files_unref(s.rule);
    }
    tw_rule_files_unref(s.other);
}

/* ---- what it is for ---------------------------------------------------------------- */

static void put(desk *d, int64_t at_s, const char *stream, const char *json)
{
    tw_err err = {0};

    move(d, T + at_s * SECOND);
    assert_int_equal(
        tw_replay_event(d->replay, stream, 0, json, strlen(json), TW_TIME_NONE, &err),
        TW_OK);
}

static void who_fell_silent_meanwhile_is_missed_and_nobody_else(void **state)
{
    scene s = {.x = *state};
    desk *d = calloc(1, sizeof *d);

    s.other = load_text(s.x, other_text);
    s.rule = load_detector(s.x, detectors[0]);
    open_desk(d, &s, s.rule);
    put(d, 0, "requests", "{\"service\":\"lives\"}");
    put(d, 0, "requests", "{\"service\":\"dies\"}");
    switch_to(d, s.other, T + 10 * SECOND);
    switch_to(d, s.rule, T + 310 * SECOND);
    for (int64_t at_s = 320; at_s < 400; at_s += 10)
        put(d, at_s, "requests", "{\"service\":\"lives\"}");
    assert_int_equal(d->count, 1);
    assert_string_equal(d->list[0].id, "it:dies");
    assert_int_equal(d->list[0].at_ms, T + 335 * SECOND);
    tw_replay_free(d->replay);
    tw_rule_files_unref(s.rule);
    tw_rule_files_unref(s.other);
    free(d);
}

/* The pair told of an a before the hole and a b behind it, if park has that many seconds. */
static uint32_t pairs_over(rules_fixture *x, const char *park, int64_t hole_s)
{
    scene s = {.x = x};
    desk *d = calloc(1, sizeof *d);
    char detector[200];

    snprintf(detector, sizeof detector,
             "join { \"a\", \"b\", within = { after = \"2h\" } }%s", park);
    s.other = load_text(s.x, other_text);
    s.rule = load_detector(s.x, detector);
    open_desk(d, &s, s.rule);
    put(d, 0, "requests", "{\"service\":\"x\"}");
    switch_to(d, s.other, T + 10 * SECOND);
    switch_to(d, s.rule, T + (10 + hole_s) * SECOND);
    put(d, 10 + hole_s + 1, "events", "{\"service\":\"x\"}");
    uint32_t count = d->count;
    tw_replay_free(d->replay);
    tw_rule_files_unref(s.rule);
    tw_rule_files_unref(s.other);
    free(d);
    return count;
}

static void it_waits_as_long_as_the_rule_says(void **state)
{
    assert_int_equal(pairs_over(*state, "", 3500), 1);
    assert_int_equal(pairs_over(*state, "", 3600), 0);
    assert_int_equal(pairs_over(*state, ", park = \"1m\"", 59), 1);
    assert_int_equal(pairs_over(*state, ", park = \"1m\"", 60), 0);
    assert_int_equal(pairs_over(*state, ", park = false", 1), 0);
    assert_int_equal(pairs_over(*state, ", park = \"0s\"", 1), 0);
}

static void park_is_a_time_or_false(void **state)
{
    char text[300];

    snprintf(text, sizeof text, "%.*s park = true }", (int)sizeof other_text - 4,
             other_text);
    load_rules(*state, text);
    assert_non_null(strstr(first_finding(*state), "park is a duration"));
}

/* A window of an hour with a hole of 30 s goes on; one of a minute begins anew. */
static uint32_t alerts_over(rules_fixture *x, const char *over)
{
    scene s = {.x = x};
    desk *d = calloc(1, sizeof *d);
    char detector[200];

    snprintf(detector, sizeof detector,
             "level { of = count \"a\", over = \"%s\", crit = { at_least = 3 } }", over);
    s.other = load_text(s.x, other_text);
    s.rule = load_detector(s.x, detector);
    open_desk(d, &s, s.rule);
    for (int64_t at_s = 0; at_s < 3; at_s++)
        put(d, at_s, "requests", "{\"service\":\"x\"}");
    assert_int_equal(d->count, 1);
    switch_to(d, s.other, T + 10 * SECOND);
    assert_int_equal(d->count, 2);
    assert_false(d->list[1].firing);
    switch_to(d, s.rule, T + 40 * SECOND);
    move(d, T + 41 * SECOND);
    assert_int_equal(d->count, 2); /* only what is judged opens again */
    put(d, 42, "requests", "{\"service\":\"x\"}");
    uint32_t count = d->count - 2;
    tw_replay_free(d->replay);
    tw_rule_files_unref(s.rule);
    tw_rule_files_unref(s.other);
    free(d);
    return count;
}

static void a_window_goes_on_when_the_hole_is_small_for_it(void **state)
{
    assert_int_equal(alerts_over(*state, "1h"), 1);
    assert_int_equal(alerts_over(*state, "55s"), 0);
}

/* An edit that makes it cold, and the old text again. */
static void an_edit_that_is_rolled_back_brings_back_what_was_known(void **state)
{
    scene s = {.x = *state};
    desk *d = calloc(1, sizeof *d);

    s.other = load_detector(s.x, "seq { { \"b\" }, { \"a\", within = \"1h\" } }");
    s.rule = load_detector(s.x, "join { \"a\", \"b\", within = { after = \"1h\" } }");
    open_desk(d, &s, s.rule);
    put(d, 0, "requests", "{\"service\":\"x\"}");
    switch_to(d, s.other, T + 10 * SECOND);
    switch_to(d, s.rule, T + 20 * SECOND);
    put(d, 30, "events", "{\"service\":\"x\"}");
    assert_int_equal(d->count, 1);
    tw_replay_free(d->replay);
    tw_rule_files_unref(s.rule);
    tw_rule_files_unref(s.other);
    free(d);
}

/* The file of a rule is missing while the engine starts anew, and then it is there again. */
static void what_was_saved_of_a_rule_that_is_gone_waits_for_it(void **state)
{
    scene s = {.x = *state};
    desk *d = calloc(1, sizeof *d);
    tw_buf bytes;
    tw_err err = {0};

    s.other = load_text(s.x, other_text);
    s.rule = load_detector(s.x, "join { \"a\", \"b\", within = { after = \"1h\" } }");
    open_desk(d, &s, s.rule);
    put(d, 0, "requests", "{\"service\":\"x\"}");
    tw_buf_init(&bytes, 1 << 20);
    assert_int_equal(tw_engine_save(tw_replay_engine(d->replay), &bytes, &err), TW_OK);
    tw_replay_free(d->replay);
    open_desk(d, &s, s.other);
    move(d, T + 10 * SECOND);
    assert_int_equal(
        tw_engine_load(tw_replay_engine(d->replay), bytes.data, bytes.len, &err), TW_OK);
    switch_to(d, s.rule, T + 20 * SECOND);
    put(d, 30, "events", "{\"service\":\"x\"}");
    assert_int_equal(d->count, 1);
    tw_replay_free(d->replay);
    tw_buf_done(&bytes);
    tw_rule_files_unref(s.rule);
    tw_rule_files_unref(s.other);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_told_after_a_revival_is_never_its_own_invention, open_rules,
            shut_rules),
        cmocka_unit_test_setup_teardown(
            who_fell_silent_meanwhile_is_missed_and_nobody_else, open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(it_waits_as_long_as_the_rule_says, open_rules,
                                        shut_rules),
        cmocka_unit_test_setup_teardown(park_is_a_time_or_false, open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(a_window_goes_on_when_the_hole_is_small_for_it,
                                        open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(
            what_was_saved_of_a_rule_that_is_gone_waits_for_it, open_rules, shut_rules),
        cmocka_unit_test_setup_teardown(
            an_edit_that_is_rolled_back_brings_back_what_was_known, open_rules,
            shut_rules)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
