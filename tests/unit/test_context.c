// SPDX-License-Identifier: Apache-2.0
/* Tests of core/context: order, windows, bounds, whose change it is, hostile values, and state. */
#include "context/context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "context/change.h"

typedef struct fixture {
    tw_streams *streams;
    tw_context *c;
} fixture;

static int open_store(void **state)
{
    fixture *x = calloc(1, sizeof *x);
    x->streams = tw_streams_new();
    tw_streams_add(x->streams, "deploys");
    tw_streams_add(x->streams, "config_changes");
    *state = x;
    return 0;
}

static int shut_store(void **state)
{
    fixture *x = *state;
    tw_context_free(x->c);
    tw_streams_free(x->streams);
    free(x);
    return 0;
}

static tw_context *make(fixture *x, uint32_t entities, uint32_t entries, int64_t age_ms,
                        size_t bytes)
{
    tw_context_limits limits = {entities, entries, age_ms, bytes};
    tw_context_free(x->c);
    x->c = tw_context_new(&limits, x->streams, NULL);
    return x->c;
}

static tw_context *make_wide(fixture *x)
{
    return make(x, 1000, 100, 1000000, 1 << 20);
}

static tw_entity entity(const char *name, const char *value)
{
    return (tw_entity){name, value, strlen(name), strlen(value)};
}

/* A change of up to two things ("service", "cart", "region", "eu", or NULL), told as `v`. */
static void note(tw_context *c, int64_t time_ms, int64_t offset, const char *v,
                 const char *const *things)
{
    tw_entity entities[4];
    char text[64];
    tw_context_entry e = {.kind = TW_CONTEXT_CHANGES,
                          .time_ms = time_ms,
                          .origin = {.stream = 0, .partition = 0, .offset = offset},
                          .entities = entities,
                          .text = text};
    for (; things[0]; things += 2)
        entities[e.entity_count++] = entity(things[0], things[1]);
    e.text_len = (size_t)snprintf(text, sizeof text, ",\"v\":\"%s\"", v);
    tw_context_note(c, &e);
}

static const char *const cart[] = {"service", "cart", NULL};

static void note_cart(tw_context *c, int64_t time_ms, int64_t offset, const char *v)
{
    note(c, time_ms, offset, v, cart);
}

/* The `v` of what is found, one behind the other. */
static const char *found(tw_context *c, int64_t from_ms, int64_t to_ms, uint32_t most,
                         const char *const *things)
{
    static char text[512];
    tw_entity entities[4];
    tw_context_query q = {
        .entities = entities, .from_ms = from_ms, .to_ms = to_ms, .most = most};
    size_t i;
    json_t *item;

    for (; things[0]; things += 2)
        entities[q.entity_count++] = entity(things[0], things[1]);
    json_t *list = tw_context_read(c, &q);
    text[0] = '\0';
    json_array_foreach(list, i, item)
    {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "",
                 json_string_value(json_object_get(item, "v")));
    }
    json_decref(list);
    return text;
}

static const char *of_cart(tw_context *c)
{
    return found(c, -1, 1000000000, 100, cart);
}

static tw_context_counts counts(tw_context *c)
{
    tw_context_counts n;
    tw_context_count(c, &n);
    return n;
}

/* ---- order and windows ------------------------------------------------------------- */

static void entries_stand_by_time_whatever_order_they_came_in(void **state)
{
    tw_context *c = make_wide(*state);
    note_cart(c, 300, 3, "c");
    note_cart(c, 100, 1, "a");
    note_cart(c, 200, 9, "b2");
    note_cart(c, 200, 2, "b1");
    assert_string_equal(of_cart(c), "a b1 b2 c");
}

static void a_window_has_its_end_and_not_its_start(void **state)
{
    tw_context *c = make_wide(*state);
    note_cart(c, 100, 1, "a");
    note_cart(c, 200, 2, "b");
    note_cart(c, 300, 3, "c");
    assert_string_equal(found(c, 100, 200, 100, cart), "b");
    assert_string_equal(found(c, 99, 199, 100, cart), "a");
    assert_string_equal(found(c, 300, 400, 100, cart), "");
}

static void the_newest_are_given_oldest_first(void **state)
{
    tw_context *c = make_wide(*state);
    note_cart(c, 100, 1, "a");
    note_cart(c, 200, 2, "b");
    note_cart(c, 300, 3, "c");
    assert_string_equal(found(c, 0, 1000, 2, cart), "b c");
}

static void the_same_change_twice_is_one(void **state)
{
    tw_context *c = make_wide(*state);
    note_cart(c, 100, 1, "a");
    note_cart(c, 100, 2, "a");
    note_cart(c, 100, 3, "b");
    note_cart(c, 101, 4, "a");
    assert_string_equal(of_cart(c), "a b a");
    assert_int_equal(counts(c).changes, 3);
}

/* ---- whose change it is ------------------------------------------------------------ */

static void a_change_that_names_another_value_is_of_something_else(void **state)
{
    static const char *const asked[] = {"service", "cart", "region", "eu", NULL};
    static const char *const both[] = {"service", "cart", "region", "eu", NULL};
    static const char *const elsewhere[] = {"service", "cart", "region", "us", NULL};
    static const char *const other[] = {"service", "blog", "region", "eu", NULL};
    static const char *const all[] = {"region", "eu", NULL};
    tw_context *c = make_wide(*state);

    note(c, 1, 1, "both", both);
    note(c, 2, 2, "elsewhere", elsewhere);
    note(c, 3, 3, "other", other);
    note(c, 4, 4, "region", all);
    note(c, 5, 5, "service", cart);
    assert_string_equal(found(c, 0, 10, 100, asked), "both region service");
    assert_string_equal(of_cart(c), "both elsewhere service");
    assert_int_equal(counts(c).changes, 5);
    assert_int_equal(counts(c).entities, 4);
}

/* ---- bounds ------------------------------------------------------------------------ */

static void beyond_the_entries_of_a_thing_its_oldest_goes(void **state)
{
    tw_context *c = make(*state, 10, 3, 1000000, 1 << 20);
    note_cart(c, 300, 3, "c");
    note_cart(c, 400, 4, "d");
    note_cart(c, 200, 2, "b");
    note_cart(c, 500, 5, "e");
    assert_string_equal(of_cart(c), "c d e");
    note_cart(c, 100, 1, "a");
    assert_string_equal(of_cart(c), "c d e");
    assert_int_equal(counts(c).let_go, 2);
    assert_int_equal(counts(c).changes, 3);
}

static void beyond_the_things_the_one_goes_that_waited_longest(void **state)
{
    static const char *const one[] = {"host", "1", NULL},
                             *const two[] = {"host", "2", NULL},
                             *const three[] = {"host", "3", NULL};
    tw_context *c = make(*state, 2, 10, 1000000, 1 << 20);
    note(c, 100, 1, "a", one);
    note(c, 200, 2, "b", two);
    note(c, 150, 3, "c", one);
    note(c, 300, 4, "d", three);
    assert_string_equal(found(c, 0, 1000, 10, one), "a c");
    assert_string_equal(found(c, 0, 1000, 10, two), "");
    assert_string_equal(found(c, 0, 1000, 10, three), "d");
    assert_int_equal(counts(c).let_go, 1);
}

static void what_is_older_than_the_age_goes_and_does_not_come_back(void **state)
{
    static const char *const other[] = {"host", "1", NULL};
    tw_context *c = make(*state, 10, 10, 1000, 1 << 20);
    note_cart(c, 100, 1, "a");
    note_cart(c, 1050, 2, "b");
    assert_string_equal(of_cart(c), "a b");
    note(c, 1500, 3, "x", other);
    note_cart(c, 1500, 4, "c");
    assert_string_equal(of_cart(c), "b c");
    note_cart(c, 300, 5, "late");
    assert_string_equal(of_cart(c), "b c");
    note(c, 9000, 6, "y", other);
    assert_string_equal(of_cart(c), "");
    assert_int_equal(counts(c).entities, 1);
    assert_int_equal(counts(c).changes, 1);
}

static void memory_is_bounded_whatever_comes(void **state)
{
    tw_context *c = make(*state, 1000000, 1000, 1000000, 100000);
    for (int i = 0; i < 20000; i++) {
        char value[32];
        const char *const things[] = {"host", value, NULL};
        snprintf(value, sizeof value, "h%d", i);
        note(c, i, i, value, things);
        assert_true(counts(c).bytes <= 100000);
    }
    assert_true(counts(c).changes > 50);
    assert_int_equal(counts(c).let_go + counts(c).changes, 20000);
}

static void a_value_that_is_too_long_or_empty_names_nothing(void **state)
{
    char value[TW_CONTEXT_VALUE_BYTES + 2];
    const char *const things[] = {"host", value, NULL};
    tw_context *c = make_wide(*state);

    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    note(c, 1, 1, "a", things);
    value[0] = '\0';
    note(c, 2, 2, "b", things);
    assert_int_equal(counts(c).entities, 0);
    assert_int_equal(counts(c).bytes, 0);
}

/* ---- alerts ------------------------------------------------------------------------ */

static void alerts_of_the_rule_itself_are_left_out(void **state)
{
    tw_context *c = make_wide(*state);
    tw_entity thing = entity("service", "cart");
    tw_context_alert a = {&thing, 1, 50, "a/b", "i1", "firing", "crit", "x\ny"};
    tw_context_query q = {.kind = TW_CONTEXT_ALERTS,
                          .entities = &thing,
                          .entity_count = 1,
                          .to_ms = 100,
                          .most = 9};

    tw_context_note_alert(c, &a);
    a.rule = "a/bc";
    a.status = "resolved";
    tw_context_note_alert(c, &a);
    json_t *all = tw_context_read(c, &q);
    q.not_rule = "a/b";
    json_t *others = tw_context_read(c, &q);
    assert_int_equal(json_array_size(all), 2);
    assert_int_equal(json_array_size(others), 1);
    json_t *wanted = json_loads("{\"time\": 50, \"rule\": \"a/bc\", \"incident\": \"i1\","
                                "\"status\": \"resolved\", \"level\": \"crit\","
                                "\"title\": \"x\\ny\"}",
                                0, NULL);
    assert_true(json_equal(json_array_get(others, 0), wanted));
    json_decref(wanted);
    json_decref(all);
    json_decref(others);
}

static void alerts_take_no_room_from_changes(void **state)
{
    tw_context *c = make(*state, 2, 10, 1000000, 20000);

    note_cart(c, 1, 1, "a");
    for (int i = 0; i < 1000; i++) {
        char value[16];
        snprintf(value, sizeof value, "h%d", i);
        tw_entity thing = entity("host", value);
        tw_context_note_alert(
            c, &(tw_context_alert){&thing, 1, 50, "a/b", "i1", "firing", "crit", "x"});
    }
    assert_string_equal(of_cart(c), "a");
    assert_int_equal(counts(c).alerted, 2);
}

/* ---- events ------------------------------------------------------------------------ */

static void an_event_is_cut_to_one_short_line(void **state)
{
    fixture *x = *state;
    tw_context *c = make_wide(x);
    tw_stream *stream = tw_streams_find(x->streams, "deploys");
    const char *keys[] = {"tenant"};
    tw_change_fields *f = tw_change_fields_new(stream, NULL, 0, keys, 1);
    uint32_t count = tw_fields_count(stream->fields), wanted[128], n = 0;
    tw_value slots[128] = {0};
    char longest[400];

    for (uint32_t i = TW_SLOT_FIRST_FIELD; i < count; i++)
        wanted[n++] = i;
    tw_projection *p = tw_projection_new(stream->fields, wanted, n);
    memset(longest, 'z', sizeof longest);
    memcpy(longest + 159, "\xc3\xa4", 2);
    slots[tw_fields_slot(stream->fields, "tenant", NULL)] = tw_value_int(7);
    slots[tw_fields_slot(stream->fields, "host", NULL)] = tw_value_string(longest, 400);
    slots[tw_fields_slot(stream->fields, "reason", NULL)] = tw_value_string(longest, 400);
    slots[tw_fields_slot(stream->fields, "kind", NULL)] = tw_value_string("a\nb\"", 4);
    slots[tw_fields_slot(stream->fields, "from", NULL)] =
        (tw_value){.s = "{\n}", .len = 3, .type = TW_JSON};
    tw_event ev = {.time_ms = 5, .projection = p, .slots = slots, .offset = 3};
    tw_change_note(c, f, &ev);

    tw_entity thing = entity("tenant", "7");
    json_t *list = tw_context_read(
        c, &(tw_context_query){
               .entities = &thing, .entity_count = 1, .to_ms = 9, .most = 9});
    json_t *entry = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(entry, "stream")), "deploys");
    assert_string_equal(json_string_value(json_object_get(entry, "kind")), "a\nb\"");
    assert_int_equal(json_string_length(json_object_get(entry, "reason")), 159);
    assert_null(json_object_get(entry, "from"));
    assert_int_equal(counts(c).entities, 1); /* the host is too long to be one */
    assert_true(counts(c).bytes < 1500);
    json_decref(list);
    tw_change_fields_free(f);
    tw_projection_free(p);
}

/* ---- state ------------------------------------------------------------------------- */

static void fill(tw_context *c)
{
    static const char *const both[] = {"service", "cart", "region", "eu", NULL};
    tw_entity thing = entity("service", "cart");
    tw_context_alert a = {&thing, 1, 50, "a/b", "i1", "firing", "crit", NULL};

    note_cart(c, 300, 3, "c");
    note(c, 100, 1, "a", both);
    tw_context_note_alert(c, &a);
    note_cart(c, 200, 2, "b");
    for (int i = 0; i < 3; i++)
        note_cart(c, 210 + i, 30 + i, "more");
}

static tw_buf bytes_of(tw_context *c)
{
    tw_buf out;
    tw_buf_init(&out, 1 << 20);
    tw_context_save(c, &out);
    return out;
}

static void what_was_saved_goes_on_as_if_nothing_had_been(void **state)
{
    static const char *const eu[] = {"region", "eu", NULL};
    tw_context_limits limits = {3, 3, 1000000, 1 << 20};
    tw_context *c = make(*state, 3, 3, 1000000, 1 << 20);
    tw_err err;

    fill(c);
    tw_buf bytes = bytes_of(c);
    tw_context *again = tw_context_new(&limits, ((fixture *)*state)->streams, NULL);
    assert_int_equal(tw_context_load(again, bytes.data, bytes.len, &err), TW_OK);
    tw_buf copy = bytes_of(again);
    assert_int_equal(copy.len, bytes.len);
    assert_memory_equal(copy.data, bytes.data, copy.len);
    tw_context_counts was = counts(c), is = counts(again);
    assert_memory_equal(&was, &is, sizeof was);
    for (int i = 0; i < 5; i++) {
        char value[16];
        const char *const things[] = {"host", value, NULL};
        snprintf(value, sizeof value, "h%d", i);
        note_cart(c, 400 + i, 10 + i, value);
        note_cart(again, 400 + i, 10 + i, value);
        note(c, 350, 20 + i, "x", things);
        note(again, 350, 20 + i, "x", things);
        char first[512];
        snprintf(first, sizeof first, "%s/%s", of_cart(c), found(c, 0, 999, 9, eu));
        char second[512];
        snprintf(second, sizeof second, "%s", of_cart(again));
        assert_memory_equal(first, second, strlen(second));
        was = counts(c);
        is = counts(again);
        assert_memory_equal(&was, &is, sizeof was);
    }
    tw_buf_done(&bytes);
    tw_buf_done(&copy);
    tw_context_free(again);
}

static void broken_bytes_are_refused(void **state)
{
    fixture *x = *state;
    tw_context *c = make_wide(x);
    tw_err err;

    fill(c);
    tw_buf bytes = bytes_of(c);
    for (size_t n = 0; n < bytes.len; n++) {
        char *part = tw_alloc(n + 1);
        memcpy(part, bytes.data, n);
        tw_context *again = tw_context_new(&(tw_context_limits){0}, x->streams, NULL);
        assert_int_equal(tw_context_load(again, part, n, &err), TW_EPARSE);
        tw_context_free(again);
        tw_free(part);
    }
    for (size_t n = 0; n < bytes.len;
         n++) { /* no crash and no leak, whatever it makes of it */
        tw_context *again = tw_context_new(&(tw_context_limits){0}, x->streams, NULL);
        bytes.data[n] = (char)~bytes.data[n];
        (void)tw_context_load(again, bytes.data, bytes.len, &err);
        (void)of_cart(again);
        bytes.data[n] = (char)~bytes.data[n];
        tw_context_free(again);
    }
    tw_buf_done(&bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, shut_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_stand_by_time_whatever_order_they_came_in),
        TEST(a_window_has_its_end_and_not_its_start),
        TEST(the_newest_are_given_oldest_first),
        TEST(the_same_change_twice_is_one),
        TEST(a_change_that_names_another_value_is_of_something_else),
        TEST(beyond_the_entries_of_a_thing_its_oldest_goes),
        TEST(beyond_the_things_the_one_goes_that_waited_longest),
        TEST(what_is_older_than_the_age_goes_and_does_not_come_back),
        TEST(memory_is_bounded_whatever_comes),
        TEST(a_value_that_is_too_long_or_empty_names_nothing),
        TEST(alerts_of_the_rule_itself_are_left_out),
        TEST(alerts_take_no_room_from_changes),
        TEST(an_event_is_cut_to_one_short_line),
        TEST(what_was_saved_goes_on_as_if_nothing_had_been),
        TEST(broken_bytes_are_refused),
    };
    return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
