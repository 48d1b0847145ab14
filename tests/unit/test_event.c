// SPDX-License-Identifier: Apache-2.0
/* Copies of events, and keys. */
#include "flow/event.h"
#include "flow/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HOST = TW_SLOT_FIRST_FIELD, NOTE, CODE, NOTHING, LABELS, SLOTS };

typedef struct fixture {
    tw_fields *fields;
    tw_projection *projection;
    char raw[64], scratch[16];
    tw_value slots[SLOTS];
    tw_event ev;
} fixture;

static int make(void **state)
{
    fixture *x = calloc(1, sizeof *x);
    uint32_t wanted[] = {HOST, NOTE, CODE, NOTHING, LABELS};
    x->fields = tw_fields_new();
    assert_int_equal(tw_fields_slot(x->fields, "host", NULL), HOST);
    assert_int_equal(tw_fields_slot(x->fields, "note", NULL), NOTE);
    assert_int_equal(tw_fields_slot(x->fields, "code", NULL), CODE);
    assert_int_equal(tw_fields_slot(x->fields, "nothing", NULL), NOTHING);
    assert_int_equal(tw_fields_slot(x->fields, "labels", NULL), LABELS);
    x->projection = tw_projection_new(x->fields, wanted, 5);
    strncpy(x->raw, "{\"host\":\"web-1\",\"note\":\"a\\nb\",\"labels\":{}}",
            sizeof x->raw - 1);
    memcpy(x->scratch, "a\nb", 3);
    x->slots[HOST] = tw_value_string(x->raw + 9, 5);
    x->slots[NOTE] = tw_value_string(x->scratch, 3);
    x->slots[CODE] = tw_value_int(503);
    x->slots[LABELS] = tw_value_string(strchr(x->raw + 20, '{'), 2);
    x->slots[LABELS].type = TW_JSON;
    x->ev = (tw_event){.time_ms = 1000,
                       .partition = 3,
                       .offset = 77,
                       .stream = 2,
                       .raw = x->raw,
                       .raw_len = (uint32_t)strlen(x->raw),
                       .projection = x->projection,
                       .slots = x->slots};
    *state = x;
    return 0;
}

static int unmake(void **state)
{
    fixture *x = *state;
    tw_projection_free(x->projection);
    tw_fields_free(x->fields);
    free(x);
    return 0;
}

static void assert_text(tw_value v, const char *s)
{
    assert_int_equal(v.len, strlen(s));
    assert_memory_equal(v.s, s, v.len);
}

static void assert_whole(const tw_event *ev)
{
    assert_text(tw_event_slot(ev, HOST), "web-1");
    assert_text(tw_event_slot(ev, NOTE), "a\nb");
    assert_text(tw_event_slot(ev, LABELS), "{}");
    assert_int_equal(tw_event_slot(ev, LABELS).type, TW_JSON);
    assert_int_equal(tw_event_slot(ev, CODE).i, 503);
    assert_int_equal(tw_event_slot(ev, NOTHING).type, TW_ABSENT);
    assert_int_equal(tw_event_slot(ev, SLOTS + 1).type, TW_ABSENT);
    assert_int_equal(tw_event_slot(ev, TW_SLOT_TIME).i, 1000);
    assert_int_equal(tw_event_slot(ev, TW_SLOT_STREAM).i, 2);
    assert_int_equal(tw_event_slot(ev, TW_SLOT_PARTITION).i, 3);
    assert_int_equal(tw_event_slot(ev, TW_SLOT_OFFSET).i, 77);
    assert_memory_equal(ev->raw, "{\"host\":\"web-1\"", 15);
}

static void overwrite(fixture *x)
{
    memset(x->raw, '#', sizeof x->raw);
    memset(x->scratch, '#', sizeof x->scratch);
    memset(x->slots, 0xff, sizeof x->slots);
}

static void a_copy_survives_the_original(void **state)
{
    fixture *x = *state;
    size_t size = tw_event_copy_size(&x->ev);
    tw_event *copy = tw_event_copy_into(&x->ev, malloc(size));
    overwrite(x);
    assert_whole(copy);
    assert_true(copy->flags & TW_EVENT_COPY);
    assert_int_equal(tw_event_copy_size(copy), size);
    free(copy);
}

static void a_copy_that_moved_is_whole_after_rebase(void **state)
{
    fixture *x = *state;
    size_t size = tw_event_copy_size(&x->ev);
    void *old = malloc(size);
    void *block = malloc(size);
    memcpy(block, tw_event_copy_into(&x->ev, old), size);
    memset(old, '#', size);
    overwrite(x);
    assert_whole(tw_event_rebase(block));
    free(old);
    free(block);
}

static void a_copy_of_a_copy_in_slab_memory_can_be_given_back(void **state)
{
    fixture *x = *state;
    tw_slab *slab = tw_slab_new();
    tw_event *copy = tw_event_copy(&x->ev, slab);
    tw_event *second = tw_event_copy(copy, slab);
    overwrite(x);
    tw_event_copy_give(copy, slab);
    assert_whole(second);
    tw_event_copy_give(second, slab);
    tw_event_copy_give(NULL, slab);
    tw_slab_free(slab);
}

static void text_of_no_length_is_copied_too(void **state)
{
    fixture *x = *state;
    x->slots[NOTE] = tw_value_string(x->scratch + 1, 0);
    x->slots[HOST] = tw_value_string(NULL, 0);
    size_t size = tw_event_copy_size(&x->ev);
    tw_event *copy = tw_event_copy_into(&x->ev, malloc(size));
    assert_int_equal(tw_event_copy_size(copy), size);
    assert_text(tw_event_slot(copy, NOTE), "");
    assert_text(tw_event_slot(copy, HOST), "");
    free(copy);
}

static void an_event_without_a_reader_has_no_unprojected_fields(void **state)
{
    fixture *x = *state;
    tw_path_step step = {.name = "host", .name_len = 4};
    assert_int_equal(tw_event_get(&x->ev, &step, 1).type, TW_ABSENT);
}

/* ---- keys -------------------------------------------------------------------------- */

typedef struct key_of {
    uint8_t bytes[TW_MAX_KEY_BYTES];
    tw_key key;
} key_of;

static key_of *key(fixture *x, tw_value a, tw_value b)
{
    static key_of keys[4];
    static int next;
    key_of *k = &keys[next++ % 4];
    uint32_t slots[] = {HOST, NOTE};
    x->slots[HOST] = a;
    x->slots[NOTE] = b;
    return tw_key_from_event(&x->ev, slots, 2, k->bytes, &k->key) ? k : NULL;
}

static bool same(key_of *a, key_of *b)
{
    bool equal =
        a->key.len == b->key.len && !memcmp(a->key.data, b->key.data, a->key.len);
    if (equal) {
        assert_int_equal(a->key.hash, b->key.hash);
        assert_int_equal(a->key.group, b->key.group);
    }
    return equal;
}

static tw_value str(const char *s)
{
    return tw_value_string(s, strlen(s));
}

static void equal_values_give_equal_keys(void **state)
{
    fixture *x = *state;
    tw_value one = tw_value_int(1);
    assert_true(same(key(x, tw_value_int(5), one), key(x, tw_value_double(5.0), one)));
    assert_true(same(key(x, tw_value_int(0), one), key(x, tw_value_double(-0.0), one)));
    assert_true(same(key(x, str("a"), one), key(x, str("a"), tw_value_double(1))));
    assert_false(same(key(x, tw_value_double(5.5), one), key(x, tw_value_int(5), one)));
}

static void values_that_differ_give_keys_that_differ(void **state)
{
    fixture *x = *state;
    assert_false(same(key(x, str("ab"), str("c")), key(x, str("a"), str("bc"))));
    assert_false(same(key(x, str("5"), str("")), key(x, tw_value_int(5), str(""))));
    assert_false(
        same(key(x, tw_value_bool(true), str("")), key(x, tw_value_int(1), str(""))));
    assert_false(same(key(x, tw_value_int(INT64_MIN), str("")),
                      key(x, tw_value_int(INT64_MAX), str(""))));
    assert_false(same(key(x, tw_value_double(9223372036854775808.0), str("")),
                      key(x, tw_value_int(INT64_MAX), str(""))));
}

static void a_key_decodes_to_its_values(void **state)
{
    fixture *x = *state;
    char text[300];
    tw_value out[3];
    memset(text, 'y', sizeof text);
    key_of *k = key(x, tw_value_double(-2.25), tw_value_string(text, sizeof text));
    assert_int_equal(tw_key_values(k->bytes, k->key.len, out, 3), 2);
    assert_true(out[0].type == TW_DOUBLE && out[0].d == -2.25);
    assert_true(tw_value_equal(out[1], tw_value_string(text, sizeof text)));
    k = key(x, tw_value_int(-42), tw_value_bool(true));
    assert_int_equal(tw_key_values(k->bytes, k->key.len, out, 1), 1);
    assert_true(out[0].type == TW_INT && out[0].i == -42);
    assert_int_equal(tw_key_values(k->bytes, k->key.len, out, 3), 2);
    assert_true(out[1].type == TW_BOOL && out[1].b);
    tw_value n = str("18446744073709551615");
    n.type = TW_DECIMAL;
    k = key(x, n, str(""));
    assert_int_equal(tw_key_values(k->bytes, k->key.len, out, 3), 2);
    assert_true(tw_value_equal(out[0], n));
    for (uint32_t cut = 0; cut < k->key.len; cut++) {
        assert_true(tw_key_values(k->bytes, cut, out, 3) < 2);
    }
}

static void what_cannot_be_a_key_is_refused(void **state)
{
    fixture *x = *state;
    char text[TW_MAX_KEY_BYTES];
    tw_value json = str("{}");
    json.type = TW_JSON;
    memset(text, 'y', sizeof text);
    assert_null(key(x, tw_value_absent(), str("a")));
    assert_null(key(x, str("a"), (tw_value){.type = TW_NULL}));
    assert_null(key(x, json, str("a")));
    assert_null(key(x, tw_value_string(text, sizeof text), str("a")));
    assert_non_null(key(x, tw_value_string(text, sizeof text - 20), str("a")));
}

static void no_fields_give_the_empty_key(void **state)
{
    fixture *x = *state;
    uint8_t bytes[TW_MAX_KEY_BYTES];
    tw_key k;
    assert_true(tw_key_from_event(&x->ev, NULL, 0, bytes, &k));
    assert_int_equal(k.len, 0);
    assert_true(k.group < TW_KEY_GROUPS);
}

static void key_groups_never_change(void **state)
{
    fixture *x = *state;
    key_of *k = key(x, str("web-1"), tw_value_int(7));
    static const uint8_t bytes[] = {'s', 5, 'w', 'e', 'b', '-', '1', 'i', 8,
                                    7,   0, 0,   0,   0,   0,   0,   0};
    assert_int_equal(k->key.len, sizeof bytes);
    assert_memory_equal(k->bytes, bytes, sizeof bytes);
    assert_int_equal(k->key.group, 188);
}

#define with_event(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_event(a_copy_survives_the_original),
        with_event(a_copy_that_moved_is_whole_after_rebase),
        with_event(a_copy_of_a_copy_in_slab_memory_can_be_given_back),
        with_event(text_of_no_length_is_copied_too),
        with_event(an_event_without_a_reader_has_no_unprojected_fields),
        with_event(equal_values_give_equal_keys),
        with_event(values_that_differ_give_keys_that_differ),
        with_event(a_key_decodes_to_its_values),
        with_event(what_cannot_be_a_key_is_refused),
        with_event(no_fields_give_the_empty_key),
        with_event(key_groups_never_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
