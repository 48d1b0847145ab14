// SPDX-License-Identifier: Apache-2.0
/* The incident stage: what opens, what is told, what resolves. Rules are built by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "alert/incident.h"
#include "base/mem.h"

typedef struct fixture {
    tw_stats *stats;
    tw_streams *streams;
    tw_incidents *incidents;
    tw_rule *rule;
    char told[4096]; /* "firing warn err:cart@1000 | resolved ..." */
    char last_title[256];
    char last_id[64], last_episode[64];
    json_t *row;
} fixture;

static void on_told(void *self, tw_notification *n)
{
    fixture *f = self;
    size_t at = strlen(f->told);

    snprintf(f->told + at, sizeof f->told - at, "%s%s %s %s@%lld", at ? " | " : "",
             n->resolved ? "resolved" : "firing", tw_level_name(n->level), n->incident,
             (long long)n->at_ms);
    snprintf(f->last_title, sizeof f->last_title, "%s", n->title);
    snprintf(f->last_id, sizeof f->last_id, "%s", n->id);
    snprintf(f->last_episode, sizeof f->last_episode, "%s", n->episode_id);
}

static json_t *on_lookup(void *self, const char *table, const char *key, int64_t at_ms)
{
    fixture *f = self;
    (void)at_ms;
    assert_string_equal(table, "owners");
    assert_string_equal(key, "cart");
    return f->row ? json_incref(f->row) : NULL;
}

static int classify(void *self, const char *path, tw_part *out, tw_err *err)
{
    (void)self;
    (void)err;
    if (strcmp(path, "service") == 0)
        out->kind = TW_PART_KEY;
    else if (strncmp(path, "owner", 5) == 0)
        *out = (tw_part){.kind = TW_PART_ENRICH, .index = 0, .text = tw_strdup(path)};
    else
        *out = (tw_part){.kind = TW_PART_RESULT, .index = 0, .text = tw_strdup(path)};
    return TW_OK;
}

static void compile(tw_template *t, const char *source)
{
    tw_template_names names = {classify, NULL};
    assert_int_equal(tw_template_compile(t, source, &names, NULL), TW_OK);
}

static void open_fixture(fixture *f)
{
    *f = (fixture){
        .stats = tw_stats_new(), .streams = tw_streams_new(), .rule = tw_rule_new()};
    tw_streams_add(f->streams, "requests");
    f->rule->name = tw_strdup("shop/errors");
    f->rule->version = tw_strdup("1");
    f->rule->key_names[0] = tw_strdup("service");
    f->rule->key_count = 1;
    f->rule->incident.set = true;
    f->rule->incident.has_title = true;
    compile(&f->rule->incident.id, "err:${service}");
    compile(&f->rule->incident.title, "${value} errors, ${level}");
    tw_incidents_options options = {.notify = {on_told, f},
                                    .lookup = {on_lookup, f},
                                    .streams = f->streams,
                                    .stats = f->stats};
    f->incidents = tw_incidents_new(&options);
}

static void close_fixture(fixture *f)
{
    tw_incidents_free(f->incidents);
    tw_rule_unref(f->rule);
    tw_streams_free(f->streams);
    tw_stats_free(f->stats);
    json_decref(f->row);
}

static tw_key key_of(const char *text)
{
    static uint8_t bytes[8][64];
    static uint32_t turn;
    uint8_t *b = bytes[turn++ % 8];
    size_t n = strlen(text);

    b[0] = TW_STRING;
    b[1] = (uint8_t)n;
    memcpy(b + 2, text, n);
    return tw_key_from_bytes(b, (uint32_t)n + 2);
}

static void send(fixture *f, tw_signal_kind kind, const char *key, tw_level from,
                 tw_level level, int64_t at_ms)
{
    static const char *const names[] = {"value"};
    double value = 42;
    bool has = true;
    tw_signal s = {.rule = f->rule,
                   .kind = kind,
                   .from = from,
                   .level = level,
                   .at_ms = at_ms,
                   .key = key_of(key),
                   .result = {names, &value, &has, 1},
                   .newest = {0, 2, 17, 0, 0},
                   .start_ms = INT64_MIN,
                   .stop_ms = INT64_MIN};
    tw_incidents_signal(f->incidents, &s);
}

static void a_level_opens_rises_and_resolves(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_OK, TW_LEVEL_WARN, 1000);
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_WARN, TW_LEVEL_CRIT, 2000);
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_CRIT, TW_LEVEL_OK, 3000);
    assert_string_equal(f.told, "firing warn err:cart@1000 | firing crit err:cart@2000 | "
                                "resolved crit err:cart@3000");
    assert_int_equal(tw_incidents_count(f.incidents), 0);
    close_fixture(&f);
}

static void a_fall_is_not_told(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_OK, TW_LEVEL_CRIT, 1000);
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_CRIT, TW_LEVEL_WARN, 2000);
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_WARN, TW_LEVEL_CRIT, 2500);
    assert_string_equal(f.told, "firing crit err:cart@1000");
    close_fixture(&f);
}

static void keys_with_one_id_share_an_incident_until_the_last_is_ok(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    tw_template_done(&f.rule->incident.id);
    compile(&f.rule->incident.id, "all");
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_OK, TW_LEVEL_WARN, 1000);
    send(&f, TW_SIGNAL_LEVEL, "pay", TW_LEVEL_OK, TW_LEVEL_WARN, 1100);
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_WARN, TW_LEVEL_OK, 1200);
    assert_string_equal(f.told, "firing warn all@1000");
    send(&f, TW_SIGNAL_LEVEL, "pay", TW_LEVEL_WARN, TW_LEVEL_OK, 1300);
    assert_string_equal(f.told, "firing warn all@1000 | resolved warn all@1300");
    close_fixture(&f);
}

static int64_t the_clock(void *self, const char *rule)
{
    assert_string_equal(rule, "shop/errors");
    return *(int64_t *)self;
}

static void an_occurrence_resolves_when_it_has_not_recurred(void **state)
{
    fixture f;
    int64_t now = 11000;
    (void)state;
    open_fixture(&f);
    f.rule->incident.resolve_after_ms = 10000;
    send(&f, TW_SIGNAL_OCCURRENCE, "cart", TW_LEVEL_OK, TW_LEVEL_CRIT, 1000);
    send(&f, TW_SIGNAL_OCCURRENCE, "cart", TW_LEVEL_OK, TW_LEVEL_CRIT, 4000);
    tw_incidents_advance(f.incidents, the_clock, &now, false);
    assert_string_equal(f.told, "firing crit err:cart@1000");
    now = 14000;
    tw_incidents_advance(f.incidents, the_clock, &now, false);
    assert_string_equal(f.told, "firing crit err:cart@1000");
    tw_incidents_advance(f.incidents, the_clock, &now, true);
    assert_string_equal(f.told,
                        "firing crit err:cart@1000 | resolved crit err:cart@14000");
    close_fixture(&f);
}

static void a_late_occurrence_finds_the_old_incident_resolved_at_its_time(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    f.rule->incident.resolve_after_ms = 10000;
    send(&f, TW_SIGNAL_OCCURRENCE, "cart", TW_LEVEL_OK, TW_LEVEL_CRIT, 1000);
    send(&f, TW_SIGNAL_OCCURRENCE, "cart", TW_LEVEL_OK, TW_LEVEL_CRIT, 20000);
    assert_string_equal(f.told,
                        "firing crit err:cart@1000 | resolved crit err:cart@11000 | "
                        "firing crit err:cart@20000");
    close_fixture(&f);
}

static void a_handlers_resolve_ends_what_its_key_opened(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    send(&f, TW_SIGNAL_OCCURRENCE, "cart", TW_LEVEL_OK, TW_LEVEL_WARN, 1000);
    send(&f, TW_SIGNAL_RESOLVE, "pay", TW_LEVEL_WARN, TW_LEVEL_OK, 1500);
    send(&f, TW_SIGNAL_RESOLVE, "cart", TW_LEVEL_WARN, TW_LEVEL_OK, 2000);
    assert_string_equal(f.told,
                        "firing warn err:cart@1000 | resolved warn err:cart@2000");
    close_fixture(&f);
}

static void a_removed_rule_resolves_its_incidents(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_OK, TW_LEVEL_WARN, 1000);
    tw_incidents_rule_gone(f.incidents, f.rule, "rule removed", 5000);
    assert_string_equal(f.told,
                        "firing warn err:cart@1000 | resolved warn err:cart@5000");
    close_fixture(&f);
}

static void ids_are_the_same_for_the_same_and_differ_between_episodes(void **state)
{
    fixture f, g;
    char first[64], second[64];
    (void)state;
    open_fixture(&f);
    open_fixture(&g);
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_OK, TW_LEVEL_WARN, 1000);
    send(&g, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_OK, TW_LEVEL_WARN, 1000);
    assert_string_equal(f.last_id, g.last_id);
    assert_string_equal(f.last_episode, g.last_episode);
    snprintf(first, sizeof first, "%s", f.last_id);
    snprintf(second, sizeof second, "%s", f.last_episode);
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_WARN, TW_LEVEL_OK, 2000);
    assert_string_equal(f.last_id, first);
    assert_string_not_equal(f.last_episode, second);
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_OK, TW_LEVEL_WARN, 3000);
    assert_string_not_equal(f.last_id, first);
    close_fixture(&f);
    close_fixture(&g);
}

static void titles_see_result_key_and_lookup(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    f.row = json_pack("{s:s}", "team", "blue");
    f.rule->lookups = tw_calloc(1, sizeof *f.rule->lookups);
    f.rule->lookup_count = 1;
    f.rule->lookups[0] =
        (tw_lookup){.name = tw_strdup("owner"), .table = tw_strdup("owners")};
    compile(&f.rule->lookups[0].key, "${service}");
    tw_template_done(&f.rule->incident.title);
    compile(&f.rule->incident.title, "${value} in ${service} for ${owner.team}");
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_OK, TW_LEVEL_WARN, 1000);
    assert_string_equal(f.last_title, "42 in cart for blue");
    close_fixture(&f);
}

static void a_miss_that_drops_opens_nothing(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    f.rule->lookups = tw_calloc(1, sizeof *f.rule->lookups);
    f.rule->lookup_count = 1;
    f.rule->lookups[0] = (tw_lookup){
        .name = tw_strdup("owner"), .table = tw_strdup("owners"), .miss = TW_MISS_DROP};
    compile(&f.rule->lookups[0].key, "${service}");
    send(&f, TW_SIGNAL_LEVEL, "cart", TW_LEVEL_OK, TW_LEVEL_WARN, 1000);
    assert_string_equal(f.told, "");
    assert_int_equal(tw_stats_sum(f.stats, "incidents_dropped_total"), 1);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_opens_rises_and_resolves),
        cmocka_unit_test(a_fall_is_not_told),
        cmocka_unit_test(keys_with_one_id_share_an_incident_until_the_last_is_ok),
        cmocka_unit_test(an_occurrence_resolves_when_it_has_not_recurred),
        cmocka_unit_test(a_late_occurrence_finds_the_old_incident_resolved_at_its_time),
        cmocka_unit_test(a_handlers_resolve_ends_what_its_key_opened),
        cmocka_unit_test(a_removed_rule_resolves_its_incidents),
        cmocka_unit_test(ids_are_the_same_for_the_same_and_differ_between_episodes),
        cmocka_unit_test(titles_see_result_key_and_lookup),
        cmocka_unit_test(a_miss_that_drops_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
