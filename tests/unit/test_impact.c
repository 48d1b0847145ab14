// SPDX-License-Identifier: Apache-2.0
/* The impact detector: what its model (tests/models/impact.py) does not see: more samples than are kept singly,
 * keys that go, state that passes to a newer version or through bytes, the words of `when`. */
#include <stdlib.h>

#include "detecting.h"
#include "flow/plan_impact.h"

/* Input a: what happened. Input b: the metric. 4 s before, 1 s to settle, 4 s after. */
static tw_rule *impact_rule(void)
{
    tw_rule *r = desk_rule();
    tw_impact_plan *p = tw_impact_plan_new();

    r->detector = TW_DETECT_IMPACT;
    r->detail = p;
    r->detail_free = tw_impact_plan_free;
    r->role_count = 1;
    r->roles = tw_calloc(1, sizeof *r->roles);
    r->roles[0].name = tw_strdup("a");
    r->fact_count = TW_IMPACT_FACTS;
    r->facts = tw_calloc(TW_IMPACT_FACTS, sizeof *r->facts);
    for (int i = 0; i < TW_IMPACT_FACTS; i++) {
        r->facts[i] = tw_strdup(tw_impact_facts[i]);
    }
    r->incident.resolve_after_ms = 60000;
    p->event = 0;
    p->metric = 1;
    p->slot = SLOT_VALUE;
    p->before_ms = p->after_ms = 4000;
    p->settle_ms = 1000;
    p->min = 2;
    return r;
}

static void happens(desk *d, int64_t at_ms, const char *key)
{
    event_at(d, at_ms, key, 0);
}

static void measures(desk *d, int64_t at_ms, const char *key, double value)
{
    if (at_ms > d->clock_ms) {
        advance(d, at_ms);
    }
    event_only(d, at_ms, key, 1, tw_value_double(value), -1);
}

/* Four samples about `before`, the event at 10 s, four about `after`. */
static void story(desk *d, const char *key, double before, double after)
{
    for (int i = 0; i < 4; i++) {
        measures(d, 7000 + i * 1000, key, before + i % 2);
    }
    happens(d, 10000, key);
    for (int i = 0; i < 4; i++) {
        measures(d, 11001 + i * 1000, key, after + i % 2);
    }
}

static void a_verdict_falls_by_the_clock(void **state)
{
    (void)state;
    desk *d = desk_new(impact_rule());
    story(d, "k", 10, 50);
    advance(d, 15000);
    expect_nothing(d);
    advance(d, 15001);
    expect_line(d, "15000 k occurred ok>crit -");
    assert_int_equal(d->last.start_ms, 6000);
    assert_int_equal(d->last.stop_ms, 15000);
    assert_int_equal(d->last.newest.offset, 4);
    desk_free(d);
}

static void only_verdicts_of_when_are_told(void **state)
{
    static const struct {
        const char *when;
        double after;
        int told;
    } cases[] = {{"worse", 50, 1},      {"worse", 2, 0},        {"worse", 10, 0},
                 {"not better", 50, 1}, {"not better", 2, 0},   {"not better", 10, 1},
                 {"better", 2, 1},      {"same, unknown", 2, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tw_rule *r = impact_rule();
        r->incident.set = true;
        tw_impact_plan *p = r->detail;
        assert_int_equal(tw_verdicts_parse(cases[i].when, &p->verdicts, NULL), 0);
        desk *d = desk_new(r);
        story(d, "k", 10, cases[i].after);
        advance(d, 15001);
        assert_int_equal(d->line_count, cases[i].told);
        desk_free(d);
    }
}

static void what_when_cannot_mean_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "not", "wors", "worse better", "worse or", "not not worse"};
    uint32_t verdicts;
    tw_err err;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(tw_verdicts_parse(texts[i], &verdicts, &err), TW_EPARSE);
    }
    assert_int_equal(tw_verdicts_parse("not better or same", &verdicts, &err), 0);
    assert_int_equal(verdicts, 1u << TW_VERDICT_WORSE | 1u << TW_VERDICT_UNKNOWN);
}

static bool by_half(const tw_result *r, int fn)
{
    (void)fn;
    assert_string_equal(r->names[2], "effect");
    return r->has[2] && r->values[2] > 0.5;
}

static void a_function_may_ask_for_the_numbers(void **state)
{
    (void)state;
    for (int after = 12; after < 30; after += 6) {
        tw_rule *r = impact_rule();
        r->incident.set = true;
        r->incident.when_fn = 1;
        desk *d = desk_new(r);
        d->predicate = by_half;
        story(d, "k", 10, after);
        advance(d, 15001);
        assert_int_equal(d->line_count, after > 15);
        desk_free(d);
    }
}

/* Ten thousand samples in the place of 256: merged, and still a verdict. */
static void more_samples_than_are_kept_singly_still_count(void **state)
{
    (void)state;
    desk *d = desk_new(impact_rule());
    for (int i = 0; i < 10000; i++) {
        if (i == 5000) {
            happens(d, 10000, "k");
        }
        measures(d, 5000 + i, "k", i < 5000 ? 10 + i % 2 : 20 + i % 2);
    }
    advance(d, 15001);
    expect_line(d, "15000 k occurred ok>crit -");
    desk_free(d);
}

static void each_event_has_a_verdict_up_to_a_bound(void **state)
{
    (void)state;
    desk *d = desk_new(impact_rule());
    for (int i = 0; i < 20; i++) {
        happens(d, 10000 + i, "k");
    }
    assert_int_equal(d->evicted.value, 4);
    advance(d, 20000);
    assert_int_equal(d->line_count, 16);
    desk_free(d);
}

static void keys_are_forgotten_and_evicted(void **state)
{
    (void)state;
    desk *d = desk_new(impact_rule());
    d->rule->max_keys = 1;
    story(d, "k", 10, 50);
    advance(d, 15001);
    expect_line(d, "15000 k occurred ok>crit -");
    happens(d, 20000, "j");
    expect_line(d, "20000 k resolve ok>ok - evicted");
    assert_int_equal(d->evicted.value, 1);
    advance(d, 25001);
    expect_line(d, "25000 j occurred ok>crit -"); /* unknown */
    advance(d, 3620000);
    assert_int_equal(d->det->cls->key_count(d->det), 1);
    advance(d, 3620001);
    assert_int_equal(d->det->cls->key_count(d->det), 0);
    assert_int_equal(d->keys.value, 0);
    desk_free(d);
}

static void a_restart_or_a_reload_anywhere_changes_nothing(void **state)
{
    (void)state;
    for (int at = 0; at < 24; at++) {
        desk *d = desk_new(impact_rule());
        for (int i = 0; i < 12; i++) {
            if (i == at / 2 && at % 2) {
                desk_reload(d, impact_rule());
            } else if (i == at / 2) {
                through_whole_bytes(d);
            }
            measures(d, 5000 + i * 1000, "k", i <= 5 ? 10 + i % 2 : 20 + i % 2);
            if (i == 5 || i == 6) {
                happens(d, 5000 + i * 1000, "k");
            }
            advance(d, 5500 + i * 1000);
        }
        expect_line(d, "15000 k occurred ok>crit -");
        expect_line(d, "16000 k occurred ok>crit -");
        expect_nothing(d);
        desk_free(d);
    }
}

static tw_rule *spans(int64_t before_ms, int64_t after_ms)
{
    tw_rule *r = impact_rule();
    tw_impact_plan *p = r->detail;

    p->before_ms = before_ms;
    p->after_ms = after_ms;
    return r;
}

static void an_edit_of_spans_keeps_samples_and_open_events(void **state)
{
    (void)state;
    desk *d = desk_new(impact_rule());
    for (int i = 0; i < 4; i++) {
        measures(d, 7000 + i * 1000, "k", 10 + i % 2);
    }
    happens(d, 10000, "k");
    desk_reload(d, spans(8000, 9000));
    for (int i = 0; i < 4; i++) {
        measures(d, 11001 + i * 2000, "k", 50 + i % 2);
    }
    advance(d, 18500);
    expect_nothing(d);
    desk_reload(d, spans(8000, 7000)); /* then it was due at 18000 */
    advance(d, 18501);
    expect_line(d, "18500 k occurred ok>crit -");
    desk_free(d);
}

static void an_edit_of_an_impact_says_what_is_kept(void **state)
{
    (void)state;
    tw_edit edit = desk_edit(spans(9000, 4000), spans(4000, 4000));
    assert_int_equal(edit.fate, TW_FATE_WARMING);
    assert_int_equal(edit.warming_ms, 5000);
    assert_int_equal(desk_fate(spans(4000, 1000), spans(4000, 4000)), TW_FATE_TRIMMED);
    tw_rule *other = impact_rule();
    ((tw_impact_plan *)other->detail)->metric_id = 7;
    assert_int_equal(desk_fate(other, impact_rule()), TW_FATE_COLD);
    other = impact_rule();
    ((tw_impact_plan *)other->detail)->effect = 0.5;
    assert_int_equal(desk_fate(other, impact_rule()), TW_FATE_KEPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_of_spans_keeps_samples_and_open_events),
        cmocka_unit_test(an_edit_of_an_impact_says_what_is_kept),
        cmocka_unit_test(a_verdict_falls_by_the_clock),
        cmocka_unit_test(only_verdicts_of_when_are_told),
        cmocka_unit_test(what_when_cannot_mean_is_refused),
        cmocka_unit_test(a_function_may_ask_for_the_numbers),
        cmocka_unit_test(more_samples_than_are_kept_singly_still_count),
        cmocka_unit_test(each_event_has_a_verdict_up_to_a_bound),
        cmocka_unit_test(keys_are_forgotten_and_evicted),
        cmocka_unit_test(a_restart_or_a_reload_anywhere_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
