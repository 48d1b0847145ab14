// SPDX-License-Identifier: Apache-2.0
/* A rule gets another name while its incidents are open. */
#include "incident_fixture.h"

typedef struct names {
    stage s;
    tw_rule *old, *now;
} names;

static void open_names(names *n, const char *old_id, const char *now_id)
{
    open_stage(&n->s);
    n->old = add_rule(&n->s, "a/old", old_id);
    n->now = add_rule(&n->s, "a/new", now_id);
}

static void rename_at(names *n, int64_t at_s)
{
    come_to(&n->s, at_s);
    tw_incidents_rule_moved(n->s.incidents, n->old, n->now, "rule renamed",
                            at_s * SECOND);
    come_to(&n->s, at_s);
}

static const char *told_rule(const names *n)
{
    return json_string_value(json_object_get(n->s.last, "rule"));
}

/* The id of the resolve of an incident that was open when its rule was renamed, or was not. */
static void end_one(names *n, bool renamed, char *id, size_t size)
{
    open_names(n, "err:${host}", "err:${host}");
    level(&n->s, n->old, "h", CRIT, 1);
    if (renamed)
        rename_at(n, 5);
    level(&n->s, renamed ? n->now : n->old, "h", OK, 9);
    snprintf(id, size, "%s", n->s.last_id);
}

static void an_incident_ends_by_the_new_name_as_it_was_told_by_the_old_one(void **state)
{
    names n;
    char plain[40], renamed[40];

    (void)state;
    end_one(&n, false, plain, sizeof plain);
    close_stage(&n.s);
    end_one(&n, true, renamed, sizeof renamed);
    assert_string_equal(n.s.told, "1s firing crit err:h | 9s resolved crit err:h");
    assert_string_equal(told_rule(&n), "a/old");
    assert_string_equal(plain, renamed);
    level(&n.s, n.now, "h", CRIT, 12);
    assert_string_equal(told_rule(&n), "a/new");
    close_stage(&n.s);
}

static void one_with_the_name_in_its_id_goes_on_under_a_new_one(void **state)
{
    names n;

    (void)state;
    open_names(&n, "a/old:${host}", "a/new:${host}");
    level(&n.s, n.old, "h", WARN, 1);
    rename_at(&n, 5);
    assert_string_equal(
        n.s.told,
        "1s firing warn a/old:h | 5s resolved warn a/old:h | 5s firing warn a/new:h");
    level(&n.s, n.now, "h", CRIT, 7);
    level(&n.s, n.now, "h", OK, 9);
    assert_non_null(
        strstr(n.s.told, "| 7s firing crit a/new:h | 9s resolved crit a/new:h"));
    assert_int_equal(tw_incidents_count(n.s.incidents), 0);
    close_stage(&n.s);
}

static void an_occurrence_ends_when_it_would_have(void **state)
{
    names n;

    (void)state;
    open_names(&n, "err:${host}", "err:${host}");
    n.old->incident.resolve_after_ms = n.now->incident.resolve_after_ms = 10 * SECOND;
    occur(&n.s, n.old, "h", 1);
    rename_at(&n, 5);
    come_to(&n.s, 30);
    assert_string_equal(n.s.told, "1s firing crit err:h | 11s resolved crit err:h");
    close_stage(&n.s);
}

static void a_silence_of_the_old_name_mutes_the_new_one(void **state)
{
    names n;
    tw_err err = {0};

    (void)state;
    open_names(&n, "err:${host}", "err:${host}");
    json_t *order = json_pack("{s:s, s:{s:s}, s:s}", "id", "s", "match", "rule", "a/old",
                              "for", "1h");
    assert_int_equal(tw_incidents_silence(n.s.incidents, order, 0, NULL, &err), TW_OK);
    json_decref(order);
    level(&n.s, n.old, "h", CRIT, 1);
    rename_at(&n, 5);
    level(&n.s, n.now, "other", CRIT, 6);
    assert_string_equal(n.s.told, "");
    close_stage(&n.s);
}

static void a_group_tells_its_end_by_the_name_it_began_with(void **state)
{
    names n;

    (void)state;
    open_names(&n, "err:${host}", "err:${host}");
    n.old->incident.group.set = n.now->incident.group.set = true;
    n.old->incident.group.wait_ms = n.now->incident.group.wait_ms = 2 * SECOND;
    n.old->incident.group.interval_ms = n.now->incident.group.interval_ms = 60 * SECOND;
    level(&n.s, n.old, "h", CRIT, 1);
    come_to(&n.s, 4);
    assert_string_equal(n.s.told, "3s firing crit a/old/group");
    rename_at(&n, 5);
    level(&n.s, n.now, "h", OK, 9);
    assert_string_equal(n.s.told,
                        "3s firing crit a/old/group | 9s resolved crit a/old/group");
    assert_string_equal(told_rule(&n), "a/old");
    close_stage(&n.s);
}

static void a_summary_tells_its_end_by_the_name_it_began_with(void **state)
{
    names n;

    (void)state;
    open_names(&n, "err:${host}", "err:${host}");
    n.old->incident.storm = n.now->incident.storm =
        (tw_storm_plan){.set = true, .max = 1, .per_ms = 60 * SECOND};
    level(&n.s, n.old, "g", CRIT, 1);
    level(&n.s, n.old, "h", CRIT, 1);
    rename_at(&n, 5);
    level(&n.s, n.now, "i", CRIT, 20);
    level(&n.s, n.now, "h", OK, 30);
    assert_string_equal(n.s.told,
                        "1s firing crit err:g | 11s firing crit a/old/storm storm | "
                        "20s firing crit err:i | 30s resolved crit a/old/storm storm");
    assert_string_equal(told_rule(&n), "a/old");
    close_stage(&n.s);
}

static tw_rule *find_none(void *self, const char *name)
{
    (void)self;
    (void)name;
    return NULL;
}

static tw_rule *find_heir(void *self, const char *name)
{
    names *n = self;

    return strcmp(name, "a/old") == 0 ? n->now : NULL;
}

static void what_was_saved_under_the_old_name_goes_on(void **state)
{
    names n;
    tw_buf bytes;
    tw_err err = {0};

    (void)state;
    open_names(&n, "err:${host}", "err:${host}");
    level(&n.s, n.old, "h", CRIT, 1);
    tw_buf_init(&bytes, 1 << 20);
    tw_incidents_save(n.s.incidents, &bytes);
    tw_incidents_free(n.s.incidents);
    n.s.incidents = new_incidents(&n.s);
    assert_int_equal(tw_incidents_load(n.s.incidents, bytes.data, bytes.len,
                                       (tw_rule_finder){find_none, &n, find_heir},
                                       2 * SECOND, &err),
                     TW_OK);
    level(&n.s, n.now, "h", OK, 9);
    assert_string_equal(n.s.told, "1s firing crit err:h | 9s resolved crit err:h");
    tw_buf_done(&bytes);
    close_stage(&n.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_incident_ends_by_the_new_name_as_it_was_told_by_the_old_one),
        cmocka_unit_test(one_with_the_name_in_its_id_goes_on_under_a_new_one),
        cmocka_unit_test(an_occurrence_ends_when_it_would_have),
        cmocka_unit_test(a_silence_of_the_old_name_mutes_the_new_one),
        cmocka_unit_test(a_group_tells_its_end_by_the_name_it_began_with),
        cmocka_unit_test(a_summary_tells_its_end_by_the_name_it_began_with),
        cmocka_unit_test(what_was_saved_under_the_old_name_goes_on)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
