// SPDX-License-Identifier: Apache-2.0
/* From a rule file to its plan: one test a feature of the language. */
#include "rules_fixture.h"

static void the_reference_job_compiles_to_a_plan(void **state)
{
    const tw_rule *r = one_rule(
        *state,
        "rule \"bench/errors_per_host\" { key = {\"host\"}, inputs = { ev = from "
        "\"events\" { severity = \"error\" } }, detect = level { of = count \"ev\", "
        "over = \"5m\", crit = { at_least = 30 } }, alert = incident { id = "
        "\"errors:${host}\", route = \"ops\", title = \"${value} errors on ${host}\" } "
        "}");

    assert_string_equal(r->name, "bench/errors_per_host");
    assert_int_equal(r->line, 1);
    assert_int_equal(r->key_count, 1);
    assert_string_equal(r->key_names[0], "host");
    assert_int_equal(r->input_count, 1);
    assert_string_equal(r->inputs[0].name, "ev");
    assert_string_equal(r->inputs[0].stream->name, "events");
    assert_int_equal(r->inputs[0].match->count, 1);
    assert_int_equal(r->inputs[0].match->items[0].op, TW_MATCH_EQ);
    assert_int_equal(r->inputs[0].where_fn, TW_NO_FN);
    assert_int_equal(r->detector, TW_DETECT_LEVEL);
    assert_int_equal(r->level.agg_count, 1);
    assert_int_equal(r->level.aggs[0].kind, TW_AGG_COUNT);
    assert_int_equal(r->level.value_count, 1);
    assert_string_equal(r->level.value_names[0], "value");
    assert_int_equal(r->level.values[0].count, 1);
    assert_int_equal(r->level.window.kind, TW_WINDOW_SLIDING);
    assert_int_equal(r->level.window.over_ms, 300000);
    assert_true(r->level.levels[TW_LEVEL_CRIT].at_least.set);
    assert_false(r->level.levels[TW_LEVEL_WARN].used);
    assert_true(r->incident.set && r->incident.has_route && r->incident.has_title);
    assert_int_equal(r->incident.title.count, 3);
    assert_int_equal(r->incident.title.parts[0].kind, TW_PART_RESULT);
    assert_int_equal(r->incident.title.parts[2].kind, TW_PART_KEY);
    assert_int_equal(r->carried_count, 0);
    assert_int_equal(r->forget_ms, 300000 + 3600000);
}

#define HEAD                                                                             \
    "rule \"a/b\" { key = { \"host\" }, inputs = { ev = from \"events\" {}, req = from " \
    "\"requests\" {} },\n"
#define ALERT "alert = incident {},\n"
#define LEVEL(options) HEAD ALERT "detect = level { " options " } }"
#define COUNT "of = count \"ev\", over = \"5m\", "

static const tw_level_plan *level_of(void **state, const char *text)
{
    return &one_rule(*state, text)->level;
}

static const tw_match_table *matchers_of(void **state, const char *table)
{
    char text[1024];
    snprintf(
        text, sizeof text,
        "rule \"a/b\" { key = \"host\", inputs = { ev = from \"events\" %s },\n" ALERT
        "detect = level { " COUNT "crit = { above = 1 } } }",
        table);
    return one_rule(*state, text)->inputs[0].match;
}

static void matchers_keep_their_operator_and_values(void **state)
{
    const tw_match_table *t = matchers_of(state, "{ a = between(1, 2.5) }");
    assert_int_equal(t->items[0].op, TW_MATCH_BETWEEN);
    assert_int_equal(t->items[0].values[0].type, TW_INT);
    assert_int_equal(t->items[0].values[1].type, TW_DOUBLE);

    t = matchers_of(state, "{ a = except(oneof { \"x\", \"y\", null }) }");
    assert_int_equal(t->items[0].op, TW_MATCH_EXCEPT);
    assert_int_equal(t->items[0].child->op, TW_MATCH_ONEOF);
    assert_int_equal(t->items[0].child->value_count, 3);
    assert_int_equal(t->items[0].child->values[2].type, TW_NULL);
    assert_int_equal(t->items[0].slot, t->items[0].child->slot);
}

static void alternatives_become_tables(void **state)
{
    const tw_match_table *t = matchers_of(
        state, "{ any_of { { a = 1 }, { b = 2, c = 3 } }, d = any_of { 4, gt(9) } }");
    assert_int_equal(t->count, 2);
    assert_int_equal(t->items[0].op, TW_MATCH_ANY_OF);
    assert_int_equal(t->items[0].table_count, 2);
    assert_int_equal(t->items[0].tables[1]->count, 2);
    assert_int_equal(t->items[1].op, TW_MATCH_ANY_OF);
    assert_int_equal(t->items[1].tables[1]->items[0].op, TW_MATCH_GT);
    assert_int_equal(t->items[1].tables[0]->items[0].slot,
                     t->items[1].tables[1]->items[0].slot);
}

static void an_empty_matcher_table_is_none(void **state)
{
    assert_null(matchers_of(state, "{}"));
}

static void a_path_keeps_its_one_slot_in_a_stream(void **state)
{
    rules_fixture *x = *state;
    const tw_match_table *t =
        matchers_of(state, "{ [\"a.b\"] = 1, [\"@partition\"] = 2 }");
    tw_stream *events = tw_streams_find(x->options.streams, "events");
    assert_int_equal(t->items[0].slot, TW_SLOT_PARTITION);
    assert_int_equal(t->items[1].slot, tw_fields_slot(events->fields, "a.b", NULL));
}

static void arithmetic_is_in_post_order(void **state)
{
    const tw_level_plan *l = level_of(
        state,
        LEVEL(
            "of = (count \"ev\" + 2 * 3) / -sum(\"req\", \"n\"), over = \"1m\", crit = { "
            "above = 1 }, nodata = { after = \"1m\" }"));
    const tw_expr *e = &l->values[0];
    assert_int_equal(e->count, 6);
    assert_int_equal(e->nodes[0].op, TW_EXPR_AGG);
    assert_int_equal(e->nodes[1].op, TW_EXPR_NUMBER);
    assert_float_equal(e->nodes[1].number, 6, 0);
    assert_int_equal(e->nodes[2].op, TW_EXPR_ADD);
    assert_int_equal(e->nodes[3].op, TW_EXPR_AGG);
    assert_int_equal(e->nodes[4].op, TW_EXPR_NEG);
    assert_int_equal(e->nodes[4].left, 3);
    assert_int_equal(e->nodes[5].op, TW_EXPR_DIV);
    assert_int_equal(e->nodes[5].left, 2);
    assert_int_equal(e->nodes[5].right, 4);
    assert_int_equal(l->aggs[1].kind, TW_AGG_SUM);
    assert_string_equal(
        one_rule(*state, LEVEL(COUNT "crit = { above = 1 }"))->inputs[1].name, "req");
}

static void some_aggregates_stand_without_a_window(void **state)
{
    const tw_level_plan *l = level_of(
        state,
        LEVEL("of = { a = ewma(\"ev\", \"x\", \"90s\"), b = elapsed \"ev\", c = "
              "last(\"ev\", \"x\") }, crit = { when = function(v) return true end }"));

    assert_int_equal(l->window.kind, TW_WINDOW_NONE);
    assert_int_equal(l->aggs[0].kind, TW_AGG_EWMA);
    assert_true(l->aggs[0].param == 90000);
    assert_true(l->aggs[0].has_field);
    assert_int_equal(l->aggs[1].kind, TW_AGG_ELAPSED);
    assert_false(l->aggs[1].has_field);
}

static void an_aggregate_takes_a_field_a_mapper_and_matchers(void **state)
{
    const tw_level_plan *l = level_of(
        state, LEVEL("of = { a = sum(\"ev\", function(e) return e.x end, { y = 1 }), b = "
                     "count(\"ev\", { z = 2 }), c = last(\"ev\", \"v\") }, over = "
                     "\"1m\", crit = { "
                     "when = function(v) return v.a > 1 end }"));
    assert_int_equal(l->value_count, 3);
    assert_string_equal(l->value_names[2], "c");
    assert_true(l->aggs[0].fn >= 0);
    assert_false(l->aggs[0].has_field);
    assert_int_equal(l->aggs[0].match->count, 1);
    assert_int_equal(l->aggs[1].fn, TW_NO_FN);
    assert_int_equal(l->aggs[1].match->count, 1);
    assert_true(l->aggs[2].has_field);
    assert_true(l->levels[TW_LEVEL_CRIT].when_fn >= 0);
    assert_int_not_equal(l->levels[TW_LEVEL_CRIT].when_fn, l->aggs[0].fn);
}

static void rate_is_of_events_or_of_a_counter(void **state)
{
    const tw_level_plan *l = level_of(
        state, LEVEL("of = rate \"ev\" + rate(\"ev\", { a = 1 }) + rate(\"ev\", \"v\"), "
                     "over = \"1m\", crit = { above = 1 }"));
    assert_int_equal(l->aggs[0].kind, TW_AGG_RATE_EVENTS);
    assert_int_equal(l->aggs[1].kind, TW_AGG_RATE_EVENTS);
    assert_non_null(l->aggs[1].match);
    assert_int_equal(l->aggs[2].kind, TW_AGG_RATE_COUNTER);
}

static void windows_are_told_apart_by_their_options(void **state)
{
    rules_fixture *x = *state;
    load_path(x, TW_SOURCE_DIR "/tests/unit/rules/good/windows.lua");
    const struct {
        const char *name;
        tw_window w;
    } expected[] = {
        {"windows/blocks", {.kind = TW_WINDOW_COUNT, .last = 100, .count_every = 100}},
        {"windows/counted", {.kind = TW_WINDOW_COUNT, .last = 100}},
        {"windows/hopping",
         {.kind = TW_WINDOW_HOPPING, .over_ms = 300000, .every_ms = 60000}},
        {"windows/newest", {.kind = TW_WINDOW_NONE}},
        {"windows/sessions",
         {.kind = TW_WINDOW_SESSION, .gap_ms = 600000, .max_ms = 7200000}},
        {"windows/sliding", {.kind = TW_WINDOW_SLIDING, .over_ms = 300000, .exact = 64}},
        {"windows/tumbling",
         {.kind = TW_WINDOW_TUMBLING, .over_ms = 60000, .every_ms = 60000}},
        {"windows/tumbling_too",
         {.kind = TW_WINDOW_TUMBLING, .over_ms = 60000, .every_ms = 60000}},
    };
    assert_int_equal(tw_rule_files_rule_count(x->set), 8);
    for (uint32_t i = 0; i < 8; i++) {
        const tw_rule *r = tw_rule_files_rule(x->set, i);
        const tw_window *w = &r->level.window, *e = &expected[i].w;
        assert_string_equal(r->name, expected[i].name);
        assert_int_equal(w->kind, e->kind);
        assert_int_equal(w->over_ms, e->over_ms);
        assert_int_equal(w->every_ms, e->every_ms);
        assert_int_equal(w->gap_ms, e->gap_ms);
        assert_int_equal(w->max_ms, e->max_ms);
        assert_int_equal(w->last, e->last);
        assert_int_equal(w->count_every, e->count_every);
        assert_int_equal(w->exact, e->exact ? e->exact : 128);
        assert_string_equal(r->key_names[0], "host");
    }
}

static void holds_and_clears_for_all_levels_yield_to_a_level_s_own(void **state)
{
    const tw_level_plan *l = level_of(
        state,
        LEVEL(COUNT "hold = \"1m\", clear_hold = \"2m\", clear = 3, warn = { above "
                    "= 5 }, crit = { above = 9, hold = \"0s\", clear = 7 }"));
    assert_int_equal(l->levels[TW_LEVEL_WARN].hold_ms, 60000);
    assert_int_equal(l->levels[TW_LEVEL_WARN].clear_hold_ms, 120000);
    assert_float_equal(l->levels[TW_LEVEL_WARN].clear.value, 3, 0);
    assert_int_equal(l->levels[TW_LEVEL_CRIT].hold_ms, 0);
    assert_float_equal(l->levels[TW_LEVEL_CRIT].clear.value, 7, 0);
    assert_false(l->levels[TW_LEVEL_INFO].used);
}

static void outside_has_two_bounds_and_two_clears(void **state)
{
    const tw_level_plan *l = level_of(
        state, LEVEL(COUNT "crit = { outside = { 10, 90 }, clear = { 20, 80 } }"));
    const tw_level_spec *s = &l->levels[TW_LEVEL_CRIT];
    assert_true(s->outside && s->clear.set);
    assert_float_equal(s->outside_lo, 10, 0);
    assert_float_equal(s->outside_hi, 90, 0);
    assert_float_equal(s->clear_lo, 20, 0);
    assert_float_equal(s->clear_hi, 80, 0);
}

static void nodata_min_and_at_are_kept(void **state)
{
    const tw_level_plan *l = level_of(
        state,
        LEVEL(COUNT "min = 20, at = \"req\", crit = { above = 5 }, nodata = { after = "
                    "\"10m\", be = \"alert\" }"));
    assert_int_equal(l->min_samples, 20);
    assert_int_equal(l->at_input, 1);
    assert_true(l->has_nodata);
    assert_int_equal(l->nodata_after_ms, 600000);
    assert_int_equal(l->nodata_be, TW_NODATA_ALERT);
    l = level_of(state,
                 LEVEL(COUNT "crit = { above = 5 }, nodata = { after = \"10m\" }"));
    assert_int_equal(l->nodata_be, TW_NODATA_UNKNOWN);
    assert_int_equal(l->at_input, -1);
}

static void a_key_is_forgotten_an_hour_after_the_longest_span(void **state)
{
    const int64_t hour = 3600000;
    assert_int_equal(one_rule(*state, LEVEL(COUNT "crit = { above = 5 }"))->forget_ms,
                     hour + 300000);
    assert_int_equal(
        one_rule(*state,
                 LEVEL(COUNT "crit = { above = 5, hold = \"1h\", clear_hold = \"2h\" }"))
            ->forget_ms,
        3 * hour);
    assert_int_equal(
        one_rule(*state, LEVEL(COUNT "crit = { above = 5 }, nodata = { after = "
                                     "\"3h\" }"))
            ->forget_ms,
        4 * hour);
    const tw_rule *r = one_rule(*state, HEAD ALERT
                                "forget = \"5s\", max_keys = 7, detect = level { " COUNT
                                "crit = { above = 5 } } }");
    assert_int_equal(r->forget_ms, 5000);
    assert_int_equal(r->max_keys, 7);
}

static void the_clock_has_its_own_time_field(void **state)
{
    rules_fixture *x = *state;
    const tw_rule *r = one_rule(
        x, HEAD ALERT "clock = { time = \"ts\", lateness = \"30s\", idle = \"20s\" }, "
                      "detect = level { " COUNT "crit = { above = 5 } } }");
    tw_stream *events = tw_streams_find(x->options.streams, "events");
    assert_int_equal(r->inputs[0].time_slot, tw_fields_slot(events->fields, "ts", NULL));
    assert_int_equal(r->lateness_ms, 30000);
    assert_int_equal(r->idle_ms, 20000);
    r = one_rule(x, LEVEL(COUNT "crit = { above = 5 }"));
    assert_int_equal(r->inputs[0].time_slot, TW_SLOT_TIME);
    assert_int_equal(r->lateness_ms, 0);
    assert_int_equal(r->idle_ms, 5000);
}

static void a_key_has_a_slot_in_each_input_s_stream(void **state)
{
    rules_fixture *x = *state;
    tw_stream *requests = tw_streams_find(x->options.streams, "requests");
    tw_fields_slot(requests->fields, "something", NULL); /* so that the slots differ */
    const tw_rule *r =
        one_rule(x, "rule \"a/b\" { key = { \"host\", \"zone\" }, inputs = { ev = from "
                    "\"events\" {}, req = from \"requests\" {} }, " ALERT
                    "detect = level { " COUNT "crit = { above = 5 } } }");
    tw_stream *events = tw_streams_find(x->options.streams, "events");
    assert_int_equal(r->key_slots[0], tw_fields_slot(events->fields, "host", NULL));
    assert_int_equal(r->key_slots[1], tw_fields_slot(events->fields, "zone", NULL));
    assert_int_equal(r->key_slots[2], tw_fields_slot(requests->fields, "host", NULL));
    assert_int_equal(r->key_slots[3], tw_fields_slot(requests->fields, "zone", NULL));
    assert_int_not_equal(r->key_slots[0], r->key_slots[2]);
}

static void templates_know_where_each_path_comes_from(void **state)
{
    const tw_rule *r = one_rule(
        *state, HEAD
        "params = { limit = 5 }, enrich = { owner = lookup { \"service_owner\", key = "
        "\"service\" } },\n"
        "detect = level { " COUNT "crit = { above = 5 } },\n"
        "alert = incident { title = \"${value}${host}${owner.team}${first.msg}"
        "${params.limit}${msg}${level}\" } }");
    const tw_part *p = r->incident.title.parts;
    assert_int_equal(r->incident.title.count, 7);
    assert_int_equal(p[0].kind, TW_PART_RESULT);
    assert_int_equal(p[1].kind, TW_PART_KEY);
    assert_int_equal(p[2].kind, TW_PART_ENRICH);
    assert_string_equal(p[2].text, "owner.team");
    assert_int_equal(p[3].kind, TW_PART_FIRST);
    assert_int_equal(p[4].kind, TW_PART_LITERAL);
    assert_string_equal(p[4].text, "5");
    assert_int_equal(p[5].kind, TW_PART_FIELD);
    assert_int_equal(p[6].kind, TW_PART_RESULT);
    assert_int_equal(r->carried_first_count, 1);
    assert_string_equal(r->carried_first[0], "msg");
    assert_int_equal(r->carried_count, 2); /* service, for the look-up, and msg */
    assert_string_equal(r->carried[p[5].index], "msg");
    assert_int_equal(r->lookups[0].key.parts[0].kind, TW_PART_FIELD);
}

static void an_incident_s_id_defaults_to_rule_and_key(void **state)
{
    const tw_rule *r = one_rule(*state, LEVEL(COUNT "crit = { above = 5 }"));
    assert_string_equal(r->incident.id.source, "a/b:${host}");
    assert_int_equal(r->incident.id.parts[1].kind, TW_PART_KEY);
    assert_false(r->incident.has_route || r->incident.has_title || r->incident.has_body);
    assert_int_equal(r->incident.severity, TW_LEVEL_CRIT);
}

static void a_lookup_has_a_default_or_keeps_or_drops(void **state)
{
    rules_fixture *x = *state;
    load_path(x, TW_SOURCE_DIR "/tests/unit/rules/good/whole_language.lua");
    const tw_rule *r = tw_rule_files_rule(x->set, 0);
    assert_int_equal(r->lookup_count, 4);
    assert_string_equal(r->lookups[0].name, "host");
    assert_int_equal(r->lookups[0].miss, TW_MISS_DROP);
    assert_int_equal(r->lookups[1].miss, TW_MISS_KEEP);
    assert_string_equal(r->lookups[1].table, "service_owner");
    assert_int_equal(r->lookups[2].miss, TW_MISS_DEFAULT);
    assert_int_equal(json_integer_value(json_object_get(r->lookups[2].fallback, "level")),
                     3);
    assert_false(r->lookups[1].as_of_event);
    assert_true(r->lookups[3].as_of_event);
    assert_int_equal(r->lookups[3].key.parts[0].kind, TW_PART_ENRICH);
    assert_string_equal(r->lookups[3].key.parts[0].text, "owner.parent");
    assert_int_equal(r->incident.label_count, 3);
    assert_string_equal(r->incident.labels[0].name, "n");
    assert_string_equal(r->incident.labels[0].value.source, "5");
    assert_string_equal(r->owner, "team-checkout");
    assert_string_equal(r->version, "2.1.0");
}

static void a_handler_has_its_functions_and_caps(void **state)
{
    rules_fixture *x = *state;
    load_path(x, TW_SOURCE_DIR "/tests/unit/rules/good/handler.lua");
    const tw_rule *r = tw_rule_files_rule(x->set, 0);
    assert_int_equal(r->detector, TW_DETECT_HANDLER);
    assert_int_equal(r->handler.event_fn, 0);
    assert_int_equal(r->handler.timer_fn, 1);
    assert_int_equal(r->handler.max_state_bytes, 1000);
    assert_int_equal(r->handler.max_timers, 2);
    assert_int_equal(r->incident.severity, TW_LEVEL_INFO);
    assert_int_equal(r->forget_ms, 2 * 3600000);
}

static void a_route_that_default_takes_is_told_when_it_is_nearly_another(void **state)
{
    static const char *const patterns[] = {"ops", "team-shop/*", "default", NULL};
    static const struct {
        const char *route, *finding;
    } cases[] = {{"ops", ""},
                 {"team-shop/web", ""},
                 {"pagers", ""},
                 {"opss", "there is no route 'opss', so `default` takes it (did you mean "
                          "'ops'?)"},
                 {"defualt",
                  "there is no route 'defualt', so `default` takes it (did you "
                  "mean 'default'?)"}};
    rules_fixture *x = *state;
    char text[400];

    x->options.routes = NULL;
    x->options.route_patterns = patterns;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text,
                 HEAD "detect = level { " COUNT
                      "crit = { above = 5 } }, alert = incident "
                      "{ route = \"%s\" } }",
                 cases[i].route);
        load_rules(x, text);
        assert_string_equal(first_finding(x), cases[i].finding);
        assert_int_equal(tw_rule_files_rule_count(x->set), 1);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_rules, shut_rules)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_reference_job_compiles_to_a_plan),
        T(matchers_keep_their_operator_and_values),
        T(alternatives_become_tables),
        T(an_empty_matcher_table_is_none),
        T(a_path_keeps_its_one_slot_in_a_stream),
        T(arithmetic_is_in_post_order),
        T(some_aggregates_stand_without_a_window),
        T(an_aggregate_takes_a_field_a_mapper_and_matchers),
        T(rate_is_of_events_or_of_a_counter),
        T(windows_are_told_apart_by_their_options),
        T(holds_and_clears_for_all_levels_yield_to_a_level_s_own),
        T(outside_has_two_bounds_and_two_clears),
        T(nodata_min_and_at_are_kept),
        T(a_key_is_forgotten_an_hour_after_the_longest_span),
        T(the_clock_has_its_own_time_field),
        T(a_key_has_a_slot_in_each_input_s_stream),
        T(templates_know_where_each_path_comes_from),
        T(an_incident_s_id_defaults_to_rule_and_key),
        T(a_lookup_has_a_default_or_keeps_or_drops),
        T(a_handler_has_its_functions_and_caps),
        T(a_route_that_default_takes_is_told_when_it_is_nearly_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
