// SPDX-License-Identifier: Apache-2.0
/* Field paths, slots, projections and the list of streams. */
#include "flow/fields.h"
#include "flow/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int make(void **state)
{
    *state = tw_fields_new();
    return 0;
}

static int unmake(void **state)
{
    tw_fields_free(*state);
    return 0;
}

static const tw_field *field(tw_fields *f, const char *path)
{
    tw_err err = {0};
    int slot = tw_fields_slot(f, path, &err);
    if (slot < 0) {
        fail_msg("%s", err.text);
    }
    return tw_fields_at(f, (uint32_t)slot);
}

static void reserved_paths_have_fixed_slots_and_no_field(void **state)
{
    tw_fields *f = *state;
    assert_int_equal(tw_fields_slot(f, "@time", NULL), TW_SLOT_TIME);
    assert_int_equal(tw_fields_slot(f, "@stream", NULL), TW_SLOT_STREAM);
    assert_int_equal(tw_fields_slot(f, "@partition", NULL), TW_SLOT_PARTITION);
    assert_int_equal(tw_fields_slot(f, "@offset", NULL), TW_SLOT_OFFSET);
    assert_null(tw_fields_at(f, TW_SLOT_TIME));
    assert_int_equal(tw_fields_count(f), TW_SLOT_FIRST_FIELD);
}

static void a_name_that_only_looks_reserved_is_a_field(void **state)
{
    tw_fields *f = *state;
    assert_string_equal(field(f, "@timestamp")->steps[0].name, "@timestamp");
    assert_string_equal(field(f, "[\"@time\"]")->path, "[\"@time\"]");
    assert_string_equal(field(f, "@time.zone")->path, "@time.zone");
}

static void a_path_is_split_into_names_and_indexes(void **state)
{
    const tw_field *a = field(*state, "labels.tags[12][\"k8s.pod\"].x");
    assert_int_equal(a->step_count, 5);
    assert_string_equal(a->steps[0].name, "labels");
    assert_int_equal(a->steps[0].name_len, 6);
    assert_string_equal(a->steps[1].name, "tags");
    assert_null(a->steps[2].name);
    assert_int_equal(a->steps[2].index, 12);
    assert_string_equal(a->steps[3].name, "k8s.pod");
    assert_string_equal(a->steps[4].name, "x");
    assert_string_equal(a->path, "labels.tags[12][\"k8s.pod\"].x");
}

static void spellings_of_one_path_share_a_slot(void **state)
{
    tw_fields *f = *state;
    int slot = tw_fields_slot(f, "a.b", NULL);
    assert_int_equal(tw_fields_slot(f, "a[\"b\"]", NULL), slot);
    assert_int_equal(tw_fields_slot(f, "[\"a\"].b", NULL), slot);
    assert_int_not_equal(tw_fields_slot(f, "[\"a.b\"]", NULL), slot);
    assert_int_equal(tw_fields_slot(f, "t[01]", NULL), tw_fields_slot(f, "t[1]", NULL));
    assert_string_equal(field(f, "[\"q\\\"\\\\\"]")->steps[0].name, "q\"\\");
    assert_string_equal(field(f, "[\"\"]")->path, "[\"\"]");
    assert_int_equal(tw_fields_count(f), slot + 5);
}

static void a_bad_path_is_refused_with_the_place(void **state)
{
    static const struct {
        const char *path, *part;
    } bad[] = {
        {"", "name is missing at column 1"},
        {"a..b", "name is missing at column 3"},
        {"a.", "name is missing at column 3"},
        {".a", "name is missing at column 1"},
        {"a[", "number or a quoted name is missing at column 3"},
        {"a[x]", "number or a quoted name"},
        {"a[-1]", "number or a quoted name"},
        {"a[1", "] is missing at column 4"},
        {"a[1]b", ". or [ is missing at column 5"},
        {"a]", ". or [ is missing"},
        {"[0].a", "begins with a name"},
        {"a[\"b", "does not end"},
        {"a[\"b\"", "] is missing"},
        {"a[12345678901]", "] is missing"},
        {"a\nb", ". or [ is missing"},
    };
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        tw_err err = {0};
        assert_int_equal(tw_fields_slot(*state, bad[n].path, &err), TW_EPARSE);
        if (!strstr(err.text, bad[n].part)) {
            fail_msg("%s: %s", bad[n].path, err.text);
        }
    }
    assert_int_equal(tw_fields_count(*state), TW_SLOT_FIRST_FIELD);
}

static void steps_length_and_fields_are_limited(void **state)
{
    tw_fields *f = *state;
    char path[1200];
    tw_err err = {0};
    assert_true(tw_fields_slot(f, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", &err) > 0);
    assert_int_equal(tw_fields_slot(f, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", &err),
                     TW_ELIMIT);
    memset(path, 'x', sizeof path);
    path[1100] = '\0';
    assert_int_equal(tw_fields_slot(f, path, &err), TW_ELIMIT);
    for (int n = 0; tw_fields_count(f) < TW_MAX_FIELDS; n++) {
        snprintf(path, sizeof path, "f%d", n);
        assert_true(tw_fields_slot(f, path, &err) > 0);
    }
    assert_int_equal(tw_fields_slot(f, "one_more", &err), TW_ELIMIT);
    assert_true(tw_fields_slot(f, "f0", &err) > 0);
    assert_null(tw_fields_at(f, TW_MAX_FIELDS));
}

static void a_projection_is_sorted_without_repeats_and_frozen(void **state)
{
    tw_fields *f = *state;
    uint32_t a = (uint32_t)tw_fields_slot(f, "a", NULL);
    uint32_t b = (uint32_t)tw_fields_slot(f, "b", NULL);
    uint32_t c = (uint32_t)tw_fields_slot(f, "c", NULL);
    uint32_t wanted[] = {c, TW_SLOT_TIME, a, c, a};
    tw_projection *p = tw_projection_new(f, wanted, 5);
    assert_int_equal(p->count, 2);
    assert_int_equal(p->slots[0], a);
    assert_int_equal(p->slots[1], c);
    assert_int_equal(p->slot_count, c + 1);
    assert_true(tw_fields_slot(f, "d", NULL) > (int)b);
    assert_int_equal(p->slot_count, c + 1);
    tw_projection_free(p);
    p = tw_projection_new(f, NULL, 0);
    assert_int_equal(p->count, 0);
    tw_projection_free(p);
}

static void streams_are_numbered_and_found_by_name(void **state)
{
    (void)state;
    tw_streams *s = tw_streams_new();
    char name[16];
    for (uint32_t n = 0; n < 40; n++) {
        snprintf(name, sizeof name, "s%u", n);
        assert_int_equal(tw_streams_add(s, name)->id, n);
    }
    tw_stream *seven = tw_streams_find(s, "s7");
    assert_ptr_equal(tw_streams_at(s, 7), seven);
    assert_ptr_equal(tw_streams_add(s, "s7"), seven);
    assert_int_equal(seven->format, TW_FORMAT_JSON);
    assert_int_equal(seven->future_ms, 60000);
    assert_null(tw_streams_find(s, "s40"));
    assert_null(tw_streams_at(s, 40));
    assert_int_equal(tw_streams_count(s), 40);
    tw_streams_free(s);
}

static void what_is_forgotten_makes_room(void **state)
{
    tw_fields *f = *state;
    char path[32];
    int kept = tw_fields_slot(f, "kept", NULL);
    uint32_t before = tw_fields_count(f);

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) {
            snprintf(path, sizeof path, "r%d_%d", round, i);
            assert_int_equal(tw_fields_slot(f, path, NULL), (int)before + i);
        }
        tw_fields_forget(f, before);
        assert_int_equal(tw_fields_count(f), before);
    }
    assert_null(tw_fields_at(f, before));
    assert_int_equal(tw_fields_slot(f, "r0_7", NULL), before);
    assert_int_equal(tw_fields_slot(f, "kept", NULL), kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reserved_paths_have_fixed_slots_and_no_field,
                                        make, unmake),
        cmocka_unit_test_setup_teardown(a_name_that_only_looks_reserved_is_a_field, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(a_path_is_split_into_names_and_indexes, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(spellings_of_one_path_share_a_slot, make, unmake),
        cmocka_unit_test_setup_teardown(a_bad_path_is_refused_with_the_place, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(steps_length_and_fields_are_limited, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(a_projection_is_sorted_without_repeats_and_frozen,
                                        make, unmake),
        cmocka_unit_test_setup_teardown(what_is_forgotten_makes_room, make, unmake),
        cmocka_unit_test(streams_are_numbered_and_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
