// SPDX-License-Identifier: Apache-2.0
/* A signal as bytes and back: all of it, for a rule that has been edited, for one that is gone. */
#include "signal_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static char **name_list(const char *a, const char *b)
{
    char **names = tw_calloc(2, sizeof *names);

    names[0] = tw_strdup(a);
    names[1] = tw_strdup(b);
    return names;
}

/* It carries `host` and `code`, keeps `zone` and `code` of two roles, and knows one fact. */
static tw_rule *make_rule(void)
{
    tw_rule *r = tw_rule_new();

    r->name = tw_strdup("a/rule");
    r->version = tw_strdup("1");
    r->key_names[0] = tw_strdup("host");
    r->key_count = 1;
    r->carried = name_list("host", "code");
    r->carried_first = name_list("host", "code");
    r->carried_count = r->carried_first_count = 2;
    r->kept = name_list("zone", "code");
    r->kept_count = 2;
    r->facts = name_list("verdict", "from");
    r->fact_count = 2;
    r->roles = tw_calloc(2, sizeof *r->roles);
    r->roles[0].name = tw_strdup("left");
    r->roles[1].name = tw_strdup("right");
    r->role_count = 2;
    return r;
}

typedef struct bench {
    tw_rule *rule;
    tw_signal signal;
    uint8_t key[8];
    tw_value fields[2], first[2], facts[2], left[2], right[2][2];
    tw_role_found roles[2];
    tw_evidence evidence[2];
    const char *names[2];
    double values[2];
    bool has[2];
    tw_top_item items[2];
    tw_top tops[2];
} bench;

static void fill_result(bench *b)
{
    b->names[0] = "errors";
    b->names[1] = "top";
    b->values[0] = 0.1;
    b->has[0] = true;
    b->items[0] = (tw_top_item){tw_value_string("/cart", 5), 12};
    b->items[1] = (tw_top_item){tw_value_int(7), 3};
    b->tops[1] = (tw_top){b->items, 2};
    b->signal.result = (tw_result){b->names, b->values, b->has, 2, b->tops};
}

static void fill_found(bench *b)
{
    b->fields[0] = tw_value_string("h1", 2);
    b->fields[1] = tw_value_int(503);
    b->first[1] = tw_value_double(2.5);
    b->facts[0] = tw_value_string("worse", 5);
    b->left[0] = tw_value_string("eu", 2);
    b->right[0][1] = tw_value_int(1);
    b->right[1][1] = tw_value_bool(true);
    b->roles[0] = (tw_role_found){1, b->left, b->left, 100, 100};
    b->roles[1] = (tw_role_found){3, b->right[0], b->right[1], 200, 300};
    b->evidence[0] = (tw_evidence){{.stream = 1, .partition = 2, .offset = 3}, 400};
    b->evidence[1] = (tw_evidence){{.stream = 1, .partition = 2, .offset = 4}, 500};
}

static void open_bench(bench *b)
{
    *b = (bench){.rule = make_rule(), .key = {1, 2, 3, 4}};
    b->signal = (tw_signal){.rule = b->rule,
                            .kind = TW_SIGNAL_OCCURRENCE,
                            .from = TW_LEVEL_WARN,
                            .level = TW_LEVEL_CRIT,
                            .at_ms = 1795308000000,
                            .seq = 17,
                            .key = tw_key_from_bytes(b->key, 4),
                            .fields = b->fields,
                            .first_fields = b->first,
                            .newest = {.stream = 1, .partition = 0, .offset = 5},
                            .newest_ms = 99,
                            .start_ms = TW_TIME_NONE,
                            .stop_ms = 98,
                            .reason = "nodata",
                            .unsure = true,
                            .by_event = true,
                            .approx = true,
                            .fire = json_pack("{s:s}", "severity", "crit"),
                            .roles = b->roles,
                            .facts = b->facts,
                            .evidence = b->evidence,
                            .evidence_count = 2,
                            .warming_until_ms = 97};
    json_object_set_new(b->signal.fire, "title", json_stringn("a\0b", 3));
    fill_result(b);
    fill_found(b);
}

static void close_bench(bench *b)
{
    json_decref(b->signal.fire);
    tw_rule_unref(b->rule);
}

static tw_rule *the_rule(void *self, const char *name)
{
    tw_rule *rule = self;
    return strcmp(name, "a/rule") == 0 ? rule : NULL;
}

/* NULL: the rule is gone. */
static tw_signal *there_and_back(const bench *b, tw_rule *now)
{
    tw_rule_finder find = {the_rule, now, NULL};
    tw_signal *loaded;
    tw_buf bytes;

    tw_buf_init(&bytes, 1 << 20);
    tw_signal_save(&b->signal, &bytes);
    tw_state_in in = tw_state_in_of(bytes.data, bytes.len);
    assert_true(tw_signal_load(&in, find, &loaded));
    assert_ptr_equal(in.at, in.end);
    tw_buf_done(&bytes);
    return loaded;
}

static void same_bytes(const tw_signal *a, const tw_signal *b)
{
    tw_buf left, right;

    tw_buf_init(&left, 1 << 20);
    tw_buf_init(&right, 1 << 20);
    tw_signal_save(a, &left);
    tw_signal_save(b, &right);
    assert_int_equal(left.len, right.len);
    assert_memory_equal(left.data, right.data, left.len);
    tw_buf_done(&left);
    tw_buf_done(&right);
}

static void all_of_it_comes_back(void **state)
{
    bench b;
    (void)state;
    open_bench(&b);
    tw_signal *s = there_and_back(&b, b.rule);
    same_bytes(&b.signal, s);
    assert_int_equal(s->kind, TW_SIGNAL_OCCURRENCE);
    assert_int_equal(s->from, TW_LEVEL_WARN);
    assert_int_equal(s->at_ms, 1795308000000);
    assert_true(s->unsure && s->by_event && s->approx);
    assert_string_equal(s->reason, "nodata");
    assert_true(json_equal(s->fire, b.signal.fire));
    assert_int_equal(s->key.group, b.signal.key.group);
    assert_int_equal(s->fields[1].i, 503);
    assert_string_equal(s->result.names[1], "top");
    assert_int_equal(s->result.tops[1].items[0].count, 12);
    assert_int_equal(s->roles[1].count, 3);
    assert_true(s->roles[1].last[1].b);
    assert_int_equal(s->evidence[1].origin.offset, 4);
    assert_int_equal(s->start_ms, TW_TIME_NONE);
    tw_signal_free(s);
    close_bench(&b);
}

static void one_that_says_little_comes_back_as_little(void **state)
{
    bench b;
    (void)state;
    open_bench(&b);
    json_decref(b.signal.fire);
    b.signal = (tw_signal){.rule = b.rule,
                           .kind = TW_SIGNAL_RESOLVE,
                           .key = b.signal.key,
                           .newest = {.partition = -1}};
    tw_signal *s = there_and_back(&b, b.rule);
    same_bytes(&b.signal, s);
    assert_null(s->reason);
    assert_null(s->fire);
    assert_null(s->fields);
    assert_null(s->roles);
    assert_null(s->facts);
    assert_null(s->evidence);
    tw_signal_free(s);
    close_bench(&b);
}

static void rename_to(char **name, const char *text)
{
    tw_free(*name);
    *name = tw_strdup(text);
}

static void an_edited_rule_reads_what_it_asks_for_by_name(void **state)
{
    bench b;
    tw_rule *edited = make_rule();
    (void)state;
    open_bench(&b);
    rename_to(&edited->carried[0], "code");
    rename_to(&edited->carried[1], "new");
    rename_to(&edited->roles[0].name, "right");
    rename_to(&edited->roles[1].name, "other");
    rename_to(&edited->kept[0], "code");
    rename_to(&edited->kept[1], "zone");
    tw_signal *s = there_and_back(&b, edited);
    assert_int_equal(s->fields[0].i, 503);
    assert_int_equal(s->fields[1].type, TW_ABSENT);
    assert_int_equal(s->roles[0].count, 3);
    assert_int_equal(s->roles[0].first[0].i, 1);
    assert_int_equal(s->roles[1].count, 0);
    tw_signal_free(s);
    tw_rule_unref(edited);
    close_bench(&b);
}

static void what_a_rule_said_that_is_gone_or_keyed_otherwise_is_dropped(void **state)
{
    bench b;
    tw_rule *edited = make_rule();
    (void)state;
    open_bench(&b);
    assert_null(there_and_back(&b, NULL));
    rename_to(&edited->key_names[0], "pod");
    assert_null(there_and_back(&b, edited));
    tw_rule_unref(edited);
    close_bench(&b);
}

static void bytes_that_break_off_are_refused(void **state)
{
    bench b;
    tw_buf bytes;
    (void)state;
    open_bench(&b);
    tw_buf_init(&bytes, 1 << 20);
    tw_signal_save(&b.signal, &bytes);
    for (size_t size = 0; size < bytes.len; size++) {
        tw_rule_finder find = {the_rule, b.rule, NULL};
        tw_signal *s;
        char *some = tw_alloc(size + 1); /* of its own, so that reading on is seen */
        memcpy(some, bytes.data, size);
        tw_state_in in = tw_state_in_of(some, size);
        assert_false(tw_signal_load(&in, find, &s));
        assert_null(s);
        tw_free(some);
    }
    tw_buf_done(&bytes);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_comes_back),
        cmocka_unit_test(one_that_says_little_comes_back_as_little),
        cmocka_unit_test(an_edited_rule_reads_what_it_asks_for_by_name),
        cmocka_unit_test(what_a_rule_said_that_is_gone_or_keyed_otherwise_is_dropped),
        cmocka_unit_test(bytes_that_break_off_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
