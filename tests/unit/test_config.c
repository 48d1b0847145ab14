// SPDX-License-Identifier: Apache-2.0
/* Tests of core/config: what a configuration becomes and what is shown of it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static tw_config *parse(const char *text)
{
    tw_err err = {0};
    tw_config *c = tw_config_parse(text, strlen(text), "dir/t.yaml", &err);

    if (!c)
        fail_msg("line %d column %d: %s\n%s", err.line, err.column, err.text, text);
    return c;
}

static const char whole[] =
    "lanes: 3\n"
    "state_dir: state\n"
    "log: { level: warn, format: json }\n"
    "control: { listen: \"[::1]:7000\", token: sesame }\n"
    "plugins: [plugins, /opt/plugins]\n"
    "sources:\n"
    "  kafka: { kind: kafka, settings: { brokers: \"b:9092\", "
    "sasl_password: open } }\n"
    "  poll:  { kind: prometheus }\n"
    "streams:\n"
    "  requests: { source: kafka, time: ts, key: labels.host }\n"
    "  log_lines: { source: kafka, topics: [app, web], format: "
    "text, future: 5m, align: 3s }\n"
    "  metrics: { source: poll, topics: node }\n"
    "tables:\n"
    "  owners: { path: owners.csv, key: service }\n"
    "rules:\n"
    "  paths: rules\n"
    "  watch: true\n"
    "  params: { \"team/rule\": { fire: 0.1 } }\n"
    "  limits: { memory: 8MiB, cpu: 20ms, load_cpu: 1s }\n"
    "sinks:\n"
    "  screen: { kind: stdout }\n"
    "  pager: { kind: webhook, settings: { url: \"http://x/\" }, "
    "queue: 5, max_age: 2h, pause: 0s,\n"
    "           timeout: 3s, backoff: 1s, backoff_max: 10s }\n"
    "routes:\n"
    "  pager: pager\n"
    "  \"page*\": [pager, screen]\n"
    "  \"page:team-*\": screen\n"
    "dead_letters: { sink: screen }\n"
    "limits: { record: 2MiB, depth: 8, fields: 100, events: 10 }\n"
    "positions: { commit: 1s }\n"
    "shutdown: { drain: 5s }\n";

static void an_empty_configuration_has_all_defaults(void **state)
{
    (void)state;
    tw_config *c = parse("");
    assert_in_range(c->lanes, 1, 64);
    assert_null(c->state_dir);
    assert_int_equal(c->log_level, TW_LOG_INFO);
    assert_int_equal(c->log_format, TW_LOG_LOGFMT);
    assert_string_equal(c->control_host, "127.0.0.1");
    assert_int_equal(c->control_port, 9464);
    assert_null(c->control_token);
    assert_int_equal(c->plugin_dir_count, 1);
    assert_false(c->rules_watch);
    assert_int_equal(c->rule_memory_bytes, 32 << 20);
    assert_int_equal(c->rule_cpu_ms, 50);
    assert_int_equal(c->rule_load_cpu_ms, 500);
    assert_int_equal(c->dead_letter_sink, -1);
    assert_int_equal(c->limits.size_bytes, 1 << 20);
    assert_int_equal(c->limits.depth, 32);
    assert_int_equal(c->limits.fields, 2000);
    assert_int_equal(c->limits.events, 10000);
    assert_int_equal(c->drain_ms, 25000);
    assert_int_equal(c->commit_ms, 5000);
    assert_null(tw_config_route_of(c, "anything"));
    tw_config_free(c);
}

static void every_key_arrives_in_its_member(void **state)
{
    (void)state;
    tw_config *c = parse(whole);
    assert_int_equal(c->lanes, 3);
    assert_string_equal(c->state_dir, "dir/state");
    assert_int_equal(c->log_level, TW_LOG_WARN);
    assert_int_equal(c->log_format, TW_LOG_JSON);
    assert_string_equal(c->control_host, "::1");
    assert_int_equal(c->control_port, 7000);
    assert_string_equal(c->control_token, "sesame");
    assert_int_equal(c->plugin_dir_count, 2);
    assert_string_equal(c->plugin_dirs[0], "dir/plugins");
    assert_string_equal(c->plugin_dirs[1], "/opt/plugins");
    assert_int_equal(c->source_count, 2);
    assert_string_equal(c->sources[0].name, "kafka");
    assert_string_equal(tw_conf_str(c->sources[0].settings, "sasl_password"), "open");
    assert_true(json_is_object(c->sources[1].settings));
    assert_string_equal(c->tables[0].path, "dir/owners.csv");
    assert_string_equal(c->tables[0].columns.key, "service");
    assert_string_equal(c->rule_paths[0], "dir/rules");
    assert_true(c->rules_watch);
    assert_non_null(json_object_get(c->rule_params, "team/rule"));
    assert_int_equal(c->rule_memory_bytes, 8 << 20);
    assert_int_equal(c->rule_cpu_ms, 20);
    assert_int_equal(c->rule_load_cpu_ms, 1000);
    assert_int_equal(c->dead_letter_sink, 0);
    assert_int_equal(c->limits.size_bytes, 2 << 20);
    assert_int_equal(c->limits.depth, 8);
    assert_int_equal(c->limits.fields, 100);
    assert_int_equal(c->limits.events, 10);
    assert_int_equal(c->commit_ms, 1000);
    assert_int_equal(c->drain_ms, 5000);
    tw_config_free(c);
}

static void a_sink_has_its_queue_and_times(void **state)
{
    (void)state;
    tw_config *c = parse(whole);
    const tw_config_sink *screen = &c->sinks[0], *pager = &c->sinks[1];
    assert_int_equal(screen->queue, 10000);
    assert_int_equal(screen->max_age_ms, 3600000);
    assert_int_equal(screen->pause_ms, 300000);
    assert_int_equal(screen->timeout_ms, 30000);
    assert_int_equal(screen->backoff_ms, 500);
    assert_int_equal(screen->backoff_max_ms, 60000);
    assert_string_equal(pager->kind, "webhook");
    assert_int_equal(pager->queue, 5);
    assert_int_equal(pager->max_age_ms, 7200000);
    assert_int_equal(pager->pause_ms, 0);
    assert_int_equal(pager->timeout_ms, 3000);
    assert_int_equal(pager->backoff_ms, 1000);
    assert_int_equal(pager->backoff_max_ms, 10000);
    tw_config_free(c);
}

static void streams_are_ready_for_the_engine(void **state)
{
    (void)state;
    tw_config *c = parse(whole);
    tw_streams *streams = tw_config_streams(c);
    assert_int_equal(tw_streams_count(streams), 3);
    const tw_stream *requests = tw_streams_find(streams, "requests");
    assert_string_equal(requests->time_path, "ts");
    assert_string_equal(requests->key_path, "labels.host");
    assert_int_equal(requests->future_ms, 60000);
    assert_int_equal(requests->align_ms, 10000);
    const tw_stream *lines = tw_streams_find(streams, "log_lines");
    assert_int_equal(lines->format, TW_FORMAT_TEXT);
    assert_int_equal(lines->future_ms, 300000);
    assert_int_equal(lines->align_ms, 3000);
    assert_null(lines->key_path);
    tw_streams_free(streams);
    assert_int_equal(c->streams[0].topic_count, 1);
    assert_string_equal(c->streams[0].topics[0], "requests");
    assert_int_equal(c->streams[1].topic_count, 2);
    assert_string_equal(c->streams[1].topics[1], "web");
    assert_int_equal(c->streams[2].source, 1);
    assert_string_equal(c->streams[2].topics[0], "node");
    tw_config_free(c);
}

static void a_route_is_found_exact_then_by_its_longest_pattern(void **state)
{
    (void)state;
    tw_config *c = parse(whole);
    assert_string_equal(tw_config_route_of(c, "pager")->pattern, "pager");
    assert_int_equal(tw_config_route_of(c, "pager")->sinks[0], 1);
    assert_string_equal(tw_config_route_of(c, "page:team-a")->pattern, "page:team-*");
    assert_string_equal(tw_config_route_of(c, "page:a")->pattern, "page*");
    assert_int_equal(tw_config_route_of(c, "page:a")->sink_count, 2);
    assert_null(tw_config_route_of(c, "mail"));
    assert_null(tw_config_route_of(c, NULL));
    tw_config_free(c);
}

static void default_takes_what_no_pattern_takes(void **state)
{
    (void)state;
    tw_config *c = parse("sinks: { a: { kind: stdout }, b: { kind: stdout } }\n"
                         "routes: { default: a, \"p*\": b }\n");
    assert_int_equal(tw_config_route_of(c, "pager")->sinks[0], 1);
    assert_int_equal(tw_config_route_of(c, "mail")->sinks[0], 0);
    assert_int_equal(tw_config_route_of(c, NULL)->sinks[0], 0);
    tw_config_free(c);
}

static void localhost_and_all_of_127_are_this_machine(void **state)
{
    (void)state;
    tw_config *c = parse("control: { listen: \"localhost:0\" }");
    assert_string_equal(c->control_host, "127.0.0.1");
    assert_int_equal(c->control_port, 0);
    tw_config_free(c);
    tw_config_free(parse("control: { listen: \"127.8.0.1:1\" }"));
    tw_config_free(parse("control: { listen: \"[::1]:65535\" }"));
    tw_config_free(parse("control: { listen: \"0.0.0.0:1\", token: t }"));
    tw_config_free(parse("control: { listen: \"[::]:1\", token: t }"));
}

static char *dump(json_t *tree)
{
    char *text = json_dumps(tree, JSON_COMPACT);

    json_decref(tree);
    return text;
}

static void what_is_shown_has_no_secrets(void **state)
{
    (void)state;
    setenv("TW_TEST_SECRET", "hush", 1);
    tw_config *c = parse(
        "control: { token: \"hush-token\" }\n"
        "sources: { k: { kind: kafka, settings: { sasl.password: hush-a,\n"
        "  ssl: { key_pem: hush-b }, tokens: [hush-c], user: \"${env:TW_TEST_SECRET}\""
        " } } }\n"
        "sinks: { w: { kind: webhook, settings: { headers: { Authorization: hush-d }"
        " } } }\n");
    assert_string_equal(tw_conf_str(c->sources[0].settings, "user"), "hush");
    char *written = dump(tw_config_as_written(c)),
         *effective = dump(tw_config_effective(c));
    assert_null(strstr(written, "hush"));
    assert_null(strstr(effective, "hush"));
    assert_non_null(strstr(effective, "\"token\":\"<secret>\""));
    free(written);
    free(effective);
    tw_config_free(c);
    unsetenv("TW_TEST_SECRET");
}

static void as_written_has_no_defaults_and_effective_has_all(void **state)
{
    (void)state;
    tw_config *c =
        parse("sources: { k: { kind: kafka } }\nstreams: { r: { source: k } }\n");
    char *written = dump(tw_config_as_written(c));
    assert_string_equal(
        written,
        "{\"sources\":{\"k\":{\"kind\":\"kafka\"}},\"streams\":{\"r\":{\"source\":"
        "\"k\"}}}");
    free(written);
    json_t *effective = tw_config_effective(c);
    assert_true(json_is_integer(json_object_get(effective, "lanes")));
    assert_int_equal(json_array_size(json_object_get(effective, "plugins")), 1);
    json_t *stream = json_object_get(json_object_get(effective, "streams"), "r");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(stream, "topics"), 0)), "r");
    json_decref(effective);
    tw_config_free(c);
}

static void the_effective_configuration_is_a_configuration(void **state)
{
    (void)state;
    tw_err err = {0};
    tw_config *c = parse(whole);
    char *first = dump(tw_config_effective(c));
    tw_config_free(c);
    c = tw_config_parse(first, strlen(first), "t.json", &err);
    if (!c)
        fail_msg("%s", err.text);
    char *second = dump(tw_config_effective(c));
    assert_string_equal(first, second);
    free(first);
    free(second);
    tw_config_free(c);
}

static void what_looks_like_a_reference_is_shown_as_it_has_to_be_written(void **state)
{
    (void)state;
    tw_config *c = parse("state_dir: \"$${env:A} $$${b ${service}\"\n");
    json_t *effective = tw_config_effective(c);

    assert_string_equal(
        json_string_value(json_object_get(tw_conf_root(c->document), "state_dir")),
        "${env:A} $${b ${service}");
    assert_string_equal(json_string_value(json_object_get(effective, "state_dir")),
                        "$${env:A} $$${b ${service}");
    json_decref(effective);
    tw_config_free(c);
}

static void the_schema_names_every_key(void **state)
{
    (void)state;
    char *schema = dump(tw_config_json_schema());
    static const char *const keys[] = {"lanes",    "control",     "backoff_max",
                                       "load_cpu", "future",      "commit",
                                       "drain",    "dead_letters"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(strstr(schema, keys[i]));
    free(schema);
}

static void streams_of_changes_are_known_by_name_or_by_word(void **state)
{
    static const char text[] =
        "sources: { k: { kind: kafka } }\n"
        "streams:\n"
        "  deploys: { source: k }\n"
        "  config_changes: { source: k, changes: false }\n"
        "  requests: { source: k }\n"
        "  argo: { source: k, changes: { of: [service, tenant.id] } }\n"
        "context: { entities: 5, entries: 6, age: 7m, memory: 1MiB }\n";
    tw_err err = {0};
    (void)state;
    tw_config *config = tw_config_parse(text, strlen(text), "t.yaml", &err);
    assert_non_null(config);
    tw_streams *streams = tw_config_streams(config);
    const tw_stream *argo = tw_streams_find(streams, "argo");

    assert_true(tw_streams_find(streams, "deploys")->changes);
    assert_false(tw_streams_find(streams, "config_changes")->changes);
    assert_false(tw_streams_find(streams, "requests")->changes);
    assert_true(argo->changes);
    assert_int_equal(argo->change_of_count, 2);
    assert_string_equal(argo->change_of[1], "tenant.id");
    assert_int_equal(config->context.entities, 5);
    assert_int_equal(config->context.entries, 6);
    assert_int_equal(config->context.age_ms, 420000);
    assert_int_equal(config->context.bytes, 1 << 20);
    tw_streams_free(streams);
    tw_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_of_changes_are_known_by_name_or_by_word),
        cmocka_unit_test(an_empty_configuration_has_all_defaults),
        cmocka_unit_test(every_key_arrives_in_its_member),
        cmocka_unit_test(a_sink_has_its_queue_and_times),
        cmocka_unit_test(streams_are_ready_for_the_engine),
        cmocka_unit_test(a_route_is_found_exact_then_by_its_longest_pattern),
        cmocka_unit_test(default_takes_what_no_pattern_takes),
        cmocka_unit_test(localhost_and_all_of_127_are_this_machine),
        cmocka_unit_test(what_is_shown_has_no_secrets),
        cmocka_unit_test(as_written_has_no_defaults_and_effective_has_all),
        cmocka_unit_test(the_effective_configuration_is_a_configuration),
        cmocka_unit_test(what_looks_like_a_reference_is_shown_as_it_has_to_be_written),
        cmocka_unit_test(the_schema_names_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
