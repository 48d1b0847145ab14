// SPDX-License-Identifier: Apache-2.0
/* Tests of base/stats: identity of handles, the text format, promtool's opinion of it. */
#include "base/stats.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const lane0[] = {"lane", "0", NULL};
static const char *const lane1[] = {"lane", "1", NULL};

static void the_same_name_and_labels_give_the_same_handle(void **state)
{
    (void)state;
    tw_stats *s = tw_stats_new();
    tw_counter *a = tw_stats_counter(s, "events_total", "Events.", lane0);
    assert_ptr_equal(a, tw_stats_counter(s, "events_total", "Events.", lane0));
    assert_ptr_equal(a, tw_stats_counter(s, "events", "Events.", lane0));
    assert_ptr_not_equal(a, tw_stats_counter(s, "events_total", "Events.", lane1));
    tw_stats_free(s);
}

static void a_name_of_another_kind_is_refused(void **state)
{
    (void)state;
    tw_stats *s = tw_stats_new();
    assert_non_null(tw_stats_gauge(s, "lag", "Lag.", NULL));
    assert_null(tw_stats_histogram(s, "lag", "Lag.", NULL, NULL, 0));
    tw_stats_free(s);
}

static void two_handles_never_share_a_cache_line(void **state)
{
    (void)state;
    tw_stats *s = tw_stats_new();
    tw_counter *a = tw_stats_counter(s, "events", "Events.", lane0);
    tw_counter *b = tw_stats_counter(s, "events", "Events.", lane1);
    assert_int_not_equal((uintptr_t)a / 64, (uintptr_t)b / 64);
    assert_int_equal((uintptr_t)a % 64, 0);
    tw_stats_free(s);
}

static void sum_adds_a_family_over_its_labels(void **state)
{
    (void)state;
    tw_stats *s = tw_stats_new();
    tw_count(tw_stats_counter(s, "events_total", "Events.", lane0), 3);
    tw_count_own(tw_stats_counter(s, "events_total", "Events.", lane1), 4);
    assert_int_equal(tw_stats_sum(s, "events_total"), 7);
    assert_int_equal(tw_stats_sum(s, "unknown_total"), 0);
    tw_stats_free(s);
}

static void fill(tw_stats *s)
{
    static const double bounds[] = {0.1, 1};
    static const char *const nasty[] = {"path", "a\"b\\c\nd", "topic", "x", NULL};
    tw_count(tw_stats_counter(s, "events", "Events read\nso far.", lane0), 5);
    tw_count(tw_stats_counter(s, "events", "Events read\nso far.", nasty), 1);
    tw_gauge *g = tw_stats_gauge(s, "alert_ratio", "A share.", NULL);
    tw_gauge_set(g, 25);
    atomic_store(&g->scale, 100);
    tw_gauge_set(tw_stats_gauge(s, "lag", "Lag.", NULL), -3);
    tw_histogram *h =
        tw_stats_histogram(s, "poll_seconds", "Duration of a poll.", lane0, bounds, 2);
    tw_histogram_observe(h, 0.1);
    tw_histogram_observe(h, 0.5);
    tw_histogram_observe(h, 20);
}

static const char expected[] =
    "# HELP tidewatch_alert_ratio A share.\n"
    "# TYPE tidewatch_alert_ratio gauge\n"
    "tidewatch_alert_ratio 0.25\n"
    "# HELP tidewatch_events_total Events read\\nso far.\n"
    "# TYPE tidewatch_events_total counter\n"
    "tidewatch_events_total{lane=\"0\"} 5\n"
    "tidewatch_events_total{path=\"a\\\"b\\\\c\\nd\",topic=\"x\"} 1\n"
    "# HELP tidewatch_lag Lag.\n"
    "# TYPE tidewatch_lag gauge\n"
    "tidewatch_lag -3\n"
    "# HELP tidewatch_poll_seconds Duration of a poll.\n"
    "# TYPE tidewatch_poll_seconds histogram\n"
    "tidewatch_poll_seconds_bucket{lane=\"0\",le=\"0.1\"} 1\n"
    "tidewatch_poll_seconds_bucket{lane=\"0\",le=\"1\"} 2\n"
    "tidewatch_poll_seconds_bucket{lane=\"0\",le=\"+Inf\"} 3\n"
    "tidewatch_poll_seconds_sum{lane=\"0\"} 20.6\n"
    "tidewatch_poll_seconds_count{lane=\"0\"} 3\n";

static void the_text_has_help_type_and_sorted_families(void **state)
{
    (void)state;
    tw_stats *s = tw_stats_new();
    tw_buf out;
    tw_buf_init(&out, 1 << 20);
    fill(s);
    tw_stats_write(s, &out);
    assert_string_equal(out.data, expected);
    tw_buf_done(&out);
    tw_stats_free(s);
}

static void promtool_has_nothing_to_say(void **state)
{
    (void)state;
    if (system("command -v promtool >/dev/null 2>&1") != 0)
        skip();
    tw_stats *s = tw_stats_new();
    tw_buf out;
    tw_buf_init(&out, 1 << 20);
    fill(s);
    tw_stats_write(s, &out);
    FILE *tool = popen("promtool check metrics >&2", "w");
    assert_non_null(tool);
    assert_int_equal(fwrite(out.data, 1, out.len, tool), out.len);
    assert_int_equal(pclose(tool), 0);
    tw_buf_done(&out);
    tw_stats_free(s);
}

static void *count_many(void *stats)
{
    for (int i = 0; i < 10000; i++)
        tw_count(tw_stats_counter(stats, "events", "Events.", lane0), 1);
    return NULL;
}

static void threads_register_and_count_together(void **state)
{
    (void)state;
    tw_stats *s = tw_stats_new();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, s), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(tw_stats_sum(s, "events"), 40000);
    tw_stats_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_name_and_labels_give_the_same_handle),
        cmocka_unit_test(a_name_of_another_kind_is_refused),
        cmocka_unit_test(two_handles_never_share_a_cache_line),
        cmocka_unit_test(sum_adds_a_family_over_its_labels),
        cmocka_unit_test(the_text_has_help_type_and_sorted_families),
        cmocka_unit_test(promtool_has_nothing_to_say),
        cmocka_unit_test(threads_register_and_count_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
