// SPDX-License-Identifier: Apache-2.0
/* What is kept of events when a rule reads other fields from now on: by an edit, and through bytes. */
#include "detect/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static tw_rule *keeping(const char *a, const char *b)
{
    tw_rule *r = tw_rule_new();

    r->kept_count = 2;
    r->kept = tw_calloc(2, sizeof *r->kept);
    r->kept[0] = tw_strdup(a);
    r->kept[1] = tw_strdup(b);
    return r;
}

/* zone is "eu", version 7. */
static tw_kept one_event(tw_slab *slab)
{
    tw_value values[] = {tw_value_string("eu", 2), tw_value_int(7)};

    return (tw_kept){.time_ms = 1000,
                     .is_there = true,
                     .fields = tw_carried_put_values(slab, NULL, values, 2)};
}

/* As a rule that keeps version and host sees it. */
static void assert_version_alone(const tw_kept *k, const tw_rule *fresh)
{
    tw_kept_view view = tw_kept_see(k, fresh);

    assert_non_null(view.values);
    assert_int_equal(view.values[0].i, 7);
    assert_int_equal(view.values[1].type, TW_ABSENT);
}

static void fields_are_found_by_name_after_an_edit(void **state)
{
    tw_slab *slab = tw_slab_new();
    tw_rule *old = keeping("zone", "version"), *fresh = keeping("version", "host");
    tw_kept k = one_event(slab);
    tw_kept_change change = tw_kept_change_of(old->kept, old->kept_count, fresh);

    (void)state;
    tw_kept_follow(&k, slab, &change);
    assert_version_alone(&k, fresh);
    tw_rule_unref(old);
    tw_rule_unref(fresh);
    tw_slab_free(slab);
}

static void fields_are_found_by_name_in_a_state_of_an_older_rule(void **state)
{
    tw_slab *slab = tw_slab_new();
    tw_rule *old = keeping("zone", "version"), *fresh = keeping("version", "host");
    tw_kept k = one_event(slab), loaded;
    tw_kept_change change;
    tw_buf bytes;

    (void)state;
    tw_buf_init(&bytes, 4096);
    tw_kept_names_save(old, &bytes);
    tw_kept_save(&k, &bytes);
    tw_state_in in = tw_state_in_of(bytes.data, bytes.len);
    assert_true(tw_kept_names_load(&in, fresh, &change));
    assert_true(tw_kept_load(&loaded, slab, &change, &in));
    assert_int_equal(loaded.time_ms, 1000);
    assert_version_alone(&loaded, fresh);
    tw_buf_done(&bytes);
    tw_rule_unref(old);
    tw_rule_unref(fresh);
    tw_slab_free(slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found_by_name_after_an_edit),
        cmocka_unit_test(fields_are_found_by_name_in_a_state_of_an_older_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
