// SPDX-License-Identifier: Apache-2.0
/* Silences and acknowledgements. */
#include <stdlib.h>

#include "alert/silence.h"
#include "incident_fixture.h"

static void silence(stage *s, const char *json, int64_t now_s)
{
    tw_err err = {0};
    json_t *order = json_loads(json, 0, NULL);
    assert_non_null(order);
    if (tw_incidents_silence(s->incidents, order, now_s * SECOND, NULL, &err) < 0)
        fail_msg("%s", err.text);
    json_decref(order);
}

static void a_silence_mutes_and_what_still_fires_at_its_end_is_told(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    silence(&s, "{\"match\": {\"host\": \"h1\"}, \"until\": 100000}", 0);
    level(&s, r, "h1", WARN, 10);
    level(&s, r, "h1", CRIT, 20);
    level(&s, r, "h2", CRIT, 30);
    come_to(&s, 100);
    assert_string_equal(s.told, "30s firing crit h2");
    come_to(&s, 101);
    assert_string_equal(s.told, "30s firing crit h2 | 100s firing crit h1");
    close_stage(&s);
}

static void it_never_swallows_the_resolve_of_what_was_announced(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    level(&s, r, "h1", WARN, 10);
    silence(&s, "{\"match\": [\"host=h1\"], \"until\": 100000}", 15);
    level(&s, r, "h1", CRIT, 20);
    level(&s, r, "h1", OK, 30);
    level(&s, r, "h1", CRIT, 40); /* another episode, never told */
    level(&s, r, "h1", OK, 50);
    come_to(&s, 200);
    assert_string_equal(s.told, "10s firing warn h1 | 30s resolved crit h1");
    close_stage(&s);
}

static void what_was_told_before_is_told_again_at_its_end(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    level(&s, r, "h1", WARN, 10);
    silence(&s, "{\"match\": [\"host=h1\"], \"until\": 100000}", 15);
    come_to(&s, 200);
    assert_string_equal(s.told, "10s firing warn h1 | 100s firing warn h1");
    close_stage(&s);
}

static void one_that_begins_later_mutes_from_then_on(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    silence(&s, "{\"match\": [\"host=h1\"], \"from\": 50000, \"until\": 100000}", 0);
    level(&s, r, "h1", WARN, 10);
    level(&s, r, "h1", CRIT, 60);
    come_to(&s, 200);
    assert_string_equal(s.told, "10s firing warn h1 | 100s firing crit h1");
    close_stage(&s);
}

static void an_expired_silence_is_over_at_once(void **state)
{
    stage s;
    tw_err err = {0};
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    silence(&s, "{\"id\": \"x\", \"match\": [\"host=h1\"], \"until\": 100000}", 0);
    level(&s, r, "h1", WARN, 10);
    come_to(&s, 20);
    assert_int_equal(tw_incidents_unsilence(s.incidents, "x", 20 * SECOND, &err), TW_OK);
    come_to(&s, 21);
    assert_string_equal(s.told, "20s firing warn h1");
    assert_int_equal(tw_incidents_unsilence(s.incidents, "y", 20 * SECOND, &err),
                     TW_ENOTFOUND);
    json_t *list = tw_incidents_silences_json(s.incidents, 21 * SECOND);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(list, 0), "state")), "expired");
    json_decref(list);
    close_stage(&s);
}

static void a_silenced_member_is_left_out_of_its_group(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.group =
        (tw_group_plan){.set = true, .wait_ms = 30 * SECOND, .interval_ms = 300 * SECOND};
    level(&s, r, "h1", WARN, 0);
    level(&s, r, "h2", WARN, 0);
    silence(&s, "{\"match\": [\"host=h1\"], \"until\": 100000}", 15);
    come_to(&s, 1000);
    assert_string_equal(s.told,
                        "30s firing warn a/b/group | 330s firing warn a/b/group x2");
    close_stage(&s);
}

static const char *label_of(const void *of, const char *name)
{
    (void)of;
    return strcmp(name, "service") == 0 ? "cart"
           : strcmp(name, "zone") == 0  ? "eu-1"
                                        : NULL;
}

static bool matches(const char *order)
{
    tw_err err = {0};
    json_t *json = json_loads(order, 0, NULL);
    tw_silence *s = tw_silence_new(json, 0, &err);
    json_decref(json);
    if (!s)
        fail_msg("%s", err.text);
    bool holds = tw_silence_matches(s, label_of, NULL);
    tw_silence_free(s);
    return holds;
}

#define M(matcher) matches("{\"until\": 1, \"match\": " matcher "}")

static void matchers_are_those_of_alertmanager(void **state)
{
    (void)state;
    assert_true(M("{\"service\": \"cart\"}"));
    assert_false(M("{\"service\": \"car\"}"));
    assert_true(M("[\"service=cart\", \"zone=~eu-.*\"]"));
    assert_false(M("[\"service=cart\", \"zone=~eu\"]")); /* the whole value */
    assert_true(M("[\"service=\\\"cart\\\"\"]"));
    assert_false(M("[\"service!=cart\", \"zone=eu-1\"]"));
    assert_true(M("[\"service!~pay|blog\", \"zone=eu-1\"]"));
    assert_true(M("[\"nothing!=x\", \"zone=eu-1\"]")); /* absent is empty */
    assert_false(M("[\"nothing=x\"]"));
    assert_true(M("{\"zone\": {\"matches\": \"eu-.*\"}, \"service\": {\"not\": \"x\"}}"));
}

static void matchers_are_written_as_they_are_read(void **state)
{
    static const char *const written[] = {
        "a=b",  "a!=b",        "a=~b.*",       "a!~b", "a=\"~b\"", "a!=\"~b\"",
        "a==b", "a=\"\"b\"\"", "a=~\"\"b\"\"", "a=",   "a=b\"c",   NULL};
    tw_label_matchers first, again;
    tw_err err = {0};

    (void)state;
    for (size_t i = 0; written[i]; i++) {
        json_t *list = json_pack("[s]", written[i]);
        assert_int_equal(tw_label_matchers_read(&first, list, &err), TW_OK);
        json_t *copy = tw_label_matchers_json(&first);
        assert_int_equal(tw_label_matchers_read(&again, copy, &err), TW_OK);
        assert_string_equal(first.items[0].value, again.items[0].value);
        assert_int_equal(!first.items[0].pattern, !again.items[0].pattern);
        assert_int_equal(first.items[0].is_negative, again.items[0].is_negative);
        json_decref(list);
        json_decref(copy);
        tw_label_matchers_done(&first);
        tw_label_matchers_done(&again);
    }
}

static void assert_refused(const char *order, const char *why)
{
    tw_err err = {0};
    json_t *json = json_loads(order, 0, NULL);
    tw_silence *s = tw_silence_new(json, 5000, &err);
    json_decref(json);
    assert_null(s);
    if (!strstr(err.text, why))
        fail_msg("'%s' is not in '%s'", why, err.text);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    assert_refused("{\"until\": 9000}", "needs 'match'");
    assert_refused("{\"match\": {}, \"until\": 9000}", "mute everything");
    assert_refused("{\"match\": [\"a!=b\"], \"until\": 9000}", "mute everything");
    assert_refused("{\"match\": [\"ab\"], \"until\": 9000}", "no matcher");
    assert_refused("{\"match\": [\"a=~(\"], \"until\": 9000}", "broken");
    assert_refused("{\"match\": [\"a=b\"]}", "needs its end");
    assert_refused("{\"match\": [\"a=b\"], \"until\": 4000}", "over before");
    assert_refused("{\"match\": [\"a=b\"], \"for\": \"x\"}", "not a duration");
    assert_refused("{\"match\": {\"a\": 5}, \"until\": 9000}", "is a string");
    assert_refused("{\"match\": {\"a=b\": \"c\"}, \"until\": 9000}",
                   "no name of a label");
    assert_refused("{\"match\": {\"\": \"c\"}, \"until\": 9000}", "no name of a label");
    assert_refused("{\"match\": [\"a=b\"], \"from\": 9223372036854775807, \"for\": "
                   "\"1h\"}",
                   "over before");
}

static void a_new_silence_says_how_many_open_incidents_it_covers(void **state)
{
    stage s;
    tw_err err = {0};
    json_t *out = NULL,
           *order =
               json_loads("{\"match\": [\"host=~h[12]\"], \"until\": 100000}", 0, NULL);
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    level(&s, r, "h1", WARN, 0);
    level(&s, r, "h2", WARN, 0);
    level(&s, r, "h3", WARN, 0);
    assert_int_equal(tw_incidents_silence(s.incidents, order, 0, &out, &err), TW_OK);
    assert_int_equal(json_integer_value(json_object_get(out, "covers")), 2);
    json_decref(out);
    json_decref(order);
    close_stage(&s);
}

/* `held` of the incident of that host: "inhibited up, silenced x". */
static const char *held(stage *s, const char *host)
{
    static char text[256];
    json_t *list = tw_incidents_json(s->incidents), *incident, *hold;
    size_t i, k;

    text[0] = '\0';
    json_array_foreach(list, i, incident)
    {
        if (strcmp(json_string_value(json_object_get(incident, "incident")), host) != 0)
            continue;
        json_array_foreach(json_object_get(incident, "held"), k, hold)
        {
            const char *by = json_string_value(json_object_get(hold, "by"));
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s%s%s", k ? ", " : "",
                     json_string_value(json_object_get(hold, "why")), by ? " " : "",
                     by ? by : "");
        }
    }
    json_decref(list);
    return text;
}

static void what_is_open_says_why_nobody_is_told(void **state)
{
    stage s;
    (void)state;
    open_stage(&s);
    tw_rule *up = add_rule(&s, "a/up", "up"), *r = add_rule(&s, "a/b", "${host}"),
            *grouped = add_rule(&s, "a/g", "g:${host}");
    r->incident.inhibitors = tw_calloc(1, sizeof *r->incident.inhibitors);
    r->incident.inhibitors[0] = (tw_inhibitor){.rule = tw_strdup("a/up"), .level = CRIT};
    r->incident.inhibitor_count = 1;
    r->incident.inhibit_wait_ms = 10 * SECOND;
    grouped->incident.group = (tw_group_plan){.set = true, .wait_ms = 30 * SECOND};
    level(&s, r, "h1", WARN, 0);
    assert_string_equal(held(&s, "h1"), "pending");
    level(&s, up, "h9", CRIT, 1);
    come_to(&s, 20);
    assert_string_equal(held(&s, "h1"), "inhibited up");
    assert_string_equal(held(&s, "up"), "");
    silence(&s, "{\"id\": \"x\", \"match\": [\"host=h1\"], \"until\": 100000}", 20);
    assert_string_equal(held(&s, "h1"), "inhibited up, silenced x");
    level(&s, grouped, "h2", WARN, 21);
    assert_string_equal(held(&s, "g:h2"), "grouped a/g/group");
    close_stage(&s);
}

static void a_misspelt_incident_gets_the_nearest_one(void **state)
{
    stage s;
    tw_err err = {0};
    (void)state;
    open_stage(&s);
    level(&s, add_rule(&s, "a/b", "err:${host}"), "cart", WARN, 0);
    assert_int_equal(tw_incidents_ack(s.incidents, "err:crat", "ann", SECOND, &err),
                     TW_ENOTFOUND);
    assert_non_null(strstr(err.text, "(did you mean 'err:cart'?)"));
    assert_int_equal(tw_incidents_ack(s.incidents, "cart", "ann", SECOND, &err),
                     TW_ENOTFOUND);
    assert_non_null(strstr(err.text, "(did you mean 'err:cart'?)"));
    assert_int_equal(tw_incidents_ack(s.incidents, "quite-other", "ann", SECOND, &err),
                     TW_ENOTFOUND);
    assert_non_null(strstr(err.text, "`tidewatch alerts` lists them"));
    tw_rule *stormy = add_rule(&s, "a/down", "down:${host}");
    stormy->incident.storm =
        (tw_storm_plan){.set = true, .max = 0, .per_ms = 60 * SECOND};
    level(&s, stormy, "pay", WARN, 0);
    assert_int_equal(tw_incidents_ack(s.incidents, "a/down/strom", "ann", SECOND, &err),
                     TW_ENOTFOUND);
    assert_non_null(strstr(err.text, "(did you mean 'a/down/storm'?)"));
    close_stage(&s);
}

static void what_is_acknowledged_is_not_repeated_until_it_rises(void **state)
{
    stage s;
    tw_err err = {0};
    (void)state;
    open_stage(&s);
    tw_rule *r = add_rule(&s, "a/b", "${host}");
    r->incident.remind_ms = 100 * SECOND;
    level(&s, r, "h1", WARN, 0);
    assert_int_equal(tw_incidents_ack(s.incidents, "h1", "ann", SECOND, &err), TW_OK);
    assert_int_equal(tw_incidents_ack(s.incidents, "h2", "ann", SECOND, &err),
                     TW_ENOTFOUND);
    come_to(&s, 350);
    assert_string_equal(s.told, "0s firing warn h1");
    level(&s, r, "h1", CRIT, 360);
    come_to(&s, 470);
    assert_string_equal(s.told, "0s firing warn h1 | 360s firing crit h1 | "
                                "460s firing crit h1 reminder");
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silence_mutes_and_what_still_fires_at_its_end_is_told),
        cmocka_unit_test(it_never_swallows_the_resolve_of_what_was_announced),
        cmocka_unit_test(what_was_told_before_is_told_again_at_its_end),
        cmocka_unit_test(one_that_begins_later_mutes_from_then_on),
        cmocka_unit_test(an_expired_silence_is_over_at_once),
        cmocka_unit_test(a_silenced_member_is_left_out_of_its_group),
        cmocka_unit_test(a_new_silence_says_how_many_open_incidents_it_covers),
        cmocka_unit_test(what_is_open_says_why_nobody_is_told),
        cmocka_unit_test(a_misspelt_incident_gets_the_nearest_one),
        cmocka_unit_test(matchers_are_those_of_alertmanager),
        cmocka_unit_test(matchers_are_written_as_they_are_read),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(what_is_acknowledged_is_not_repeated_until_it_rises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
