// SPDX-License-Identifier: Apache-2.0
/* Tests of flow/plan and flow/notification: defaults, that everything is freed (the leak
 * sanitizer watches), and the form of a notification in the replay output. */
#include "flow/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/notification.h"

static void a_new_rule_has_the_documented_defaults(void **state)
{
    (void)state;
    tw_rule *r = tw_rule_new();
    assert_int_equal(r->idle_ms, 5000);
    assert_int_equal(r->lateness_ms, 0);
    assert_int_equal(r->max_keys, 100000);
    assert_int_equal(r->level.window.exact, 128);
    assert_int_equal(r->level.at_input, -1);
    assert_int_equal(r->level.levels[TW_LEVEL_CRIT].when_fn, TW_NO_FN);
    assert_int_equal(r->handler.event_fn, TW_NO_FN);
    assert_int_equal(r->incident.severity, TW_LEVEL_CRIT);
    assert_int_equal(r->incident.resolve_after_ms, 3600000);
    tw_rule_unref(tw_rule_ref(r));
    tw_rule_unref(r);
    tw_rule_unref(NULL);
}

static tw_match_table *one_matcher(void)
{
    tw_match_table *t = tw_match_table_new();
    tw_value v = tw_value_string("(a|b)", 5);
    tw_match m = {.op = TW_MATCH_REGEX, .slot = 4, .values = &v, .value_count = 1};
    assert_int_equal(tw_match_table_add(t, &m, NULL), TW_OK);
    return t;
}

static int classify(void *self, const char *path, tw_part *out, tw_err *err)
{
    (void)self;
    (void)err;
    *out = (tw_part){.kind = TW_PART_RESULT, .text = tw_strdup(path)};
    return TW_OK;
}

static tw_template templ(const char *source)
{
    tw_template t;
    tw_template_names names = {.classify = classify};
    assert_int_equal(tw_template_compile(&t, source, &names, NULL), TW_OK);
    return t;
}

static char **names_of(const char *name)
{
    char **list = tw_calloc(1, sizeof *list);
    list[0] = tw_strdup(name);
    return list;
}

static void the_last_reference_frees_everything(void **state)
{
    (void)state;
    tw_rule *r = tw_rule_new();
    r->name = tw_strdup("team/rule");
    r->file = tw_strdup("a.lua");
    r->params = json_pack("{s:f}", "fire", 0.05);
    r->key_names[0] = tw_strdup("host");
    r->key_count = 1;
    r->inputs = tw_calloc(1, sizeof *r->inputs);
    r->input_count = 1;
    r->inputs[0] = (tw_input){.name = tw_strdup("req"), .match = one_matcher()};
    r->key_slots = tw_calloc(1, sizeof *r->key_slots);
    r->level.aggs = tw_calloc(1, sizeof *r->level.aggs);
    r->level.agg_count = 1;
    r->level.aggs[0].match = one_matcher();
    r->level.value_names = names_of("value");
    r->level.values = tw_calloc(1, sizeof *r->level.values);
    r->level.values[0].nodes = tw_calloc(2, sizeof *r->level.values[0].nodes);
    r->level.value_count = 1;
    r->incident.id = templ("err:${service}");
    r->incident.title = templ("${value} of it");
    r->incident.labels = tw_calloc(1, sizeof *r->incident.labels);
    r->incident.labels[0] = (tw_label){tw_strdup("team"), templ("x")};
    r->incident.label_count = 1;
    r->lookups = tw_calloc(1, sizeof *r->lookups);
    r->lookups[0] = (tw_lookup){.name = tw_strdup("owner"),
                                .table = tw_strdup("owners"),
                                .key = templ("${service}"),
                                .fallback = json_string("nobody")};
    r->lookup_count = 1;
    r->carried = names_of("host");
    r->carried_count = 1;
    r->carried_first = names_of("code");
    r->carried_first_count = 1;
    r->carried_slots = tw_calloc(1, sizeof *r->carried_slots);
    r->carried_first_slots = tw_calloc(1, sizeof *r->carried_first_slots);
    tw_rule_unref(r);
}

static void levels_have_names(void **state)
{
    (void)state;
    assert_string_equal(tw_level_name(TW_LEVEL_OK), "ok");
    assert_string_equal(tw_level_name(TW_LEVEL_CRIT), "crit");
    assert_string_equal(tw_level_name(TW_LEVEL_UNKNOWN), "unknown");
}

static void a_notification_prints_in_the_documented_order(void **state)
{
    (void)state;
    tw_notification *n = tw_notification_new();
    assert_int_equal(n->ends_at_ms, TW_TIME_NONE);
    n->at_ms = 1000;
    n->level = TW_LEVEL_WARN;
    n->rule = tw_strdup("team/rule");
    n->version = tw_strdup("1");
    n->incident = tw_strdup("i");
    n->route = tw_strdup("r");
    n->title = tw_strdup("t");
    n->labels = json_pack("{s:s}", "host", "a");
    n->values = json_pack("{s:i}", "value", 3);
    json_t *o = tw_notification_json(tw_notification_ref(n));
    char *text = json_dumps(o, JSON_COMPACT);
    assert_string_equal(
        text,
        "{\"at\":1000,\"type\":\"notification\",\"status\":\"firing\",\"level\":\"warn\","
        "\"rule\":\"team/rule\",\"version\":\"1\",\"incident\":\"i\",\"route\":\"r\","
        "\"labels\":{\"host\":\"a\"},\"title\":\"t\",\"values\":{\"value\":3},\"group\":"
        "null,"
        "\"stands_for\":1,\"evidence\":[]}");
    free(text);
    json_decref(o);
    tw_notification_unref(n);
    tw_notification_unref(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_rule_has_the_documented_defaults),
        cmocka_unit_test(the_last_reference_frees_everything),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(a_notification_prints_in_the_documented_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
