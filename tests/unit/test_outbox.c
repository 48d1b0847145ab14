// SPDX-License-Identifier: Apache-2.0
/* Tests of sink/outbox: a sink that answers what it is told to, under a virtual clock.
 * ctest: threads */
#include "sink/outbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/outbox_impl.h"

#define MAX_DELIVERIES 256

typedef struct bench {
    tw_loop *loop;
    tw_clock clock;
    tw_stats *stats;
    tw_outbox *outbox;
    tw_delivery *open[MAX_DELIVERIES]; /* not answered, oldest first */
    size_t open_count;
    size_t delivered; /* deliveries begun */
    char told[4096];  /* ids by delivery: "a b|c" */
    char dead[4096];  /* "a:reason " */
    size_t dead_count;
    bool at_once; /* answer DONE inside deliver */
} bench;

static void add_text(char *text, size_t size, const char *more)
{
    size_t n = strlen(text);
    snprintf(text + n, size - n, "%s", more);
}

static void deliver(void *instance, tw_delivery *d)
{
    bench *b = instance;

    if (b->told[0])
        add_text(b->told, sizeof b->told, "|");
    for (size_t i = 0; i < d->count; i++) {
        if (i)
            add_text(b->told, sizeof b->told, " ");
        add_text(b->told, sizeof b->told, d->records[i]->id);
    }
    b->delivered++;
    if (b->at_once)
        tw_outbox_answer(b->outbox, d, &(tw_answer){.answer = TW_ANSWER_DONE});
    else
        b->open[b->open_count++] = d;
}

static tw_sink_type type = {
    .kind = "fake", .deliver = deliver, .max_batch = 1, .max_inflight = 1};

static void on_dead(void *self, const tw_parcel *p, const char *reason)
{
    bench *b = self;
    add_text(b->dead, sizeof b->dead, p->record.id);
    add_text(b->dead, sizeof b->dead, ":");
    add_text(b->dead, sizeof b->dead, reason);
    add_text(b->dead, sizeof b->dead, " ");
    b->dead_count++;
}

static void setup(bench *b, uint32_t max_batch, uint32_t max_inflight,
                  tw_outbox_options options)
{
    *b = (bench){0};
    b->loop = tw_loop_new(NULL);
    tw_clock_init_virtual(&b->clock, 1000000);
    b->stats = tw_stats_new();
    type.max_batch = max_batch;
    type.max_inflight = max_inflight;
    options.name = "fake";
    options.type = &type;
    options.loop = b->loop;
    options.clock = &b->clock;
    options.stats = b->stats;
    options.dead = on_dead;
    options.dead_self = b;
    b->outbox = tw_outbox_new(&options);
    tw_outbox_connect(b->outbox, b);
}

static void teardown(bench *b)
{
    tw_outbox_free(b->outbox);
    tw_loop_free(b->loop);
    tw_stats_free(b->stats);
}

/* Static text, so that the ids outlive the test. */
static tw_parcel parcels[MAX_DELIVERIES];
static char ids[MAX_DELIVERIES][8];

static void put(bench *b, const char *id, const char *key)
{
    static size_t next;
    tw_parcel *p = &parcels[next % MAX_DELIVERIES];
    char *text = ids[next++ % MAX_DELIVERIES];

    snprintf(text, sizeof ids[0], "%s", id);
    *p = (tw_parcel){.refs = 1u << 20};
    p->record.id = text;
    p->record.key = key;
    tw_outbox_put(b->outbox, p);
}

static int64_t turn(bench *b)
{
    return tw_outbox_turn(b->outbox, tw_clock_now_ms(&b->clock));
}

static int64_t turn_after(bench *b, int64_t ms)
{
    tw_clock_set(&b->clock, tw_clock_now_ms(&b->clock) + ms);
    return turn(b);
}

/* Answers the oldest open delivery. */
static void answer_full(bench *b, tw_answer a)
{
    assert_true(b->open_count > 0);
    tw_delivery *d = b->open[0];
    memmove(b->open, b->open + 1, --b->open_count * sizeof *b->open);
    a.size = sizeof a;
    tw_outbox_answer(b->outbox, d, &a);
}

static void answer(bench *b, tw_answer_class class)
{
    answer_full(b, (tw_answer){.answer = class, .text = "because"});
}

static json_int_t status_of(bench *b, const char *name)
{
    json_t *status = tw_outbox_status(b->outbox);
    json_int_t v = json_integer_value(json_object_get(status, name));
    json_decref(status);
    return v;
}

static uint64_t given_up(bench *b, const char *reason)
{
    const char *labels[] = {"sink", "fake", "reason", reason, NULL};
    return tw_stats_counter(b->stats, "outbox_given_up_total", "", labels)->value;
}

/* ---- queue and batches ---- */

static void what_is_put_is_delivered_and_leaves_when_done(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    put(&b, "a", "k");
    assert_false(tw_outbox_is_empty(b.outbox));
    turn(&b);
    assert_string_equal(b.told, "a");
    assert_int_equal(status_of(&b, "in_flight"), 1);
    answer(&b, TW_ANSWER_DONE);
    assert_true(tw_outbox_is_empty(b.outbox));
    assert_int_equal(tw_stats_sum(b.stats, "deliveries_total"), 1);
    teardown(&b);
}

static void the_loop_delivers_what_is_put_without_being_asked(void **state)
{
    (void)state;
    bench b;
    setup(&b, 8, 1, (tw_outbox_options){0});
    put(&b, "a", "k");
    put(&b, "b", "l");
    assert_int_equal(b.delivered, 0);
    while (b.delivered == 0)
        tw_loop_turn(b.loop, true);
    assert_string_equal(b.told, "a b");
    teardown(&b);
}

static void nothing_leaves_before_the_sink_is_connected(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    tw_outbox_connect(b.outbox, NULL);
    put(&b, "a", "k");
    turn(&b);
    assert_int_equal(b.delivered, 0);
    tw_outbox_connect(b.outbox, &b);
    turn(&b);
    assert_int_equal(b.delivered, 1);
    teardown(&b);
}

static void no_more_deliveries_are_open_than_the_sink_takes(void **state)
{
    (void)state;
    bench b;
    setup(&b, 2, 2, (tw_outbox_options){0});
    for (int i = 0; i < 6; i++)
        put(&b, (const char *[]){"a", "b", "c", "d", "e", "f"}[i], NULL);
    turn(&b);
    assert_string_equal(b.told, "a b|c d");
    answer(&b, TW_ANSWER_DONE);
    turn(&b);
    assert_string_equal(b.told, "a b|c d|e f");
    teardown(&b);
}

static void a_later_record_of_a_key_waits_until_the_earlier_one_is_done(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 8, (tw_outbox_options){0});
    put(&b, "a1", "a");
    put(&b, "a2", "a");
    put(&b, "b1", "b");
    put(&b, "a3", "a");
    turn(&b);
    assert_string_equal(b.told, "a1|b1");
    answer(&b, TW_ANSWER_RETRY);
    turn(&b);
    assert_string_equal(b.told, "a1|b1");
    answer(&b, TW_ANSWER_DONE);
    turn_after(&b, 60000);
    assert_string_equal(b.told, "a1|b1|a1");
    answer(&b, TW_ANSWER_DONE);
    turn(&b);
    assert_string_equal(b.told, "a1|b1|a1|a2");
    teardown(&b);
}

static void a_batch_may_hold_several_records_of_a_key_in_order(void **state)
{
    (void)state;
    bench b;
    setup(&b, 8, 8, (tw_outbox_options){0});
    put(&b, "a1", "a");
    put(&b, "a2", "a");
    turn(&b);
    put(&b, "a3", "a");
    turn(&b);
    assert_string_equal(b.told, "a1 a2");
    teardown(&b);
}

static void a_full_queue_gives_up_the_oldest_that_is_not_in_flight(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){.max_records = 3});
    put(&b, "a", NULL);
    turn(&b);
    put(&b, "b", NULL);
    put(&b, "c", NULL);
    put(&b, "d", NULL);
    assert_string_equal(b.dead, "b:the outbox is full ");
    assert_int_equal(status_of(&b, "queued"), 2);
    assert_int_equal(given_up(&b, "overflow"), 1);
    teardown(&b);
}

static void records_grow_too_old(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){.max_age_ms = 5000, .timeout_ms = 60000});
    put(&b, "a", NULL);
    turn(&b);
    put(&b, "b", NULL);
    turn_after(&b, 4999);
    assert_int_equal(b.dead_count, 0);
    turn_after(&b, 1);
    assert_string_equal(b.dead, "b:too old to be delivered ");
    assert_int_equal(given_up(&b, "age"), 1);
    answer(&b, TW_ANSWER_RETRY);
    turn(&b);
    assert_int_equal(b.dead_count, 2);
    assert_true(tw_outbox_is_empty(b.outbox));
    teardown(&b);
}

/* ---- answers ---- */

static void waits_grow_and_stay_under_their_limit(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1,
          (tw_outbox_options){.backoff_ms = 100, .backoff_max_ms = 800, .seed = 7});
    int64_t limit = 100, longest = 0;
    put(&b, "a", NULL);
    turn(&b);
    for (int i = 0; i < 40; i++) {
        int64_t failed_ms = tw_clock_now_ms(&b.clock);
        answer(&b, TW_ANSWER_RETRY);
        while (b.open_count == 0)
            turn_after(&b, 1);
        int64_t waited = tw_clock_now_ms(&b.clock) - failed_ms;
        assert_in_range(waited, 1, limit);
        longest = waited > longest ? waited : longest;
        limit = limit * 2 > 800 ? 800 : limit * 2;
    }
    assert_true(longest > 400);
    assert_int_equal(b.open[0]->attempt, 41);
    teardown(&b);
}

static void the_same_seed_gives_the_same_waits(void **state)
{
    (void)state;
    int64_t times[2];
    for (int i = 0; i < 2; i++) {
        bench b;
        setup(&b, 1, 1, (tw_outbox_options){.seed = 42});
        put(&b, "a", NULL);
        turn(&b);
        for (int k = 0; k < 5; k++) {
            answer(&b, TW_ANSWER_RETRY);
            while (b.open_count == 0)
                turn_after(&b, 1);
        }
        times[i] = tw_clock_now_ms(&b.clock);
        teardown(&b);
    }
    assert_int_equal(times[0], times[1]);
}

static void retry_after_holds_the_whole_destination(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 4, (tw_outbox_options){0});
    put(&b, "a", NULL);
    turn(&b);
    answer_full(&b, (tw_answer){.answer = TW_ANSWER_RETRY, .retry_after_ms = 90000});
    put(&b, "b", NULL);
    turn_after(&b, 89999);
    assert_string_equal(b.told, "a");
    turn_after(&b, 1);
    assert_string_not_equal(b.told, "a");
    teardown(&b);
}

static void a_failing_destination_is_tried_with_one_delivery_at_a_time(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 4, (tw_outbox_options){0});
    put(&b, "a", NULL);
    turn(&b);
    answer(&b, TW_ANSWER_RETRY);
    put(&b, "b", NULL);
    put(&b, "c", NULL);
    turn_after(&b, 60000);
    assert_int_equal(b.open_count, 1);
    answer(&b, TW_ANSWER_DONE);
    turn(&b);
    assert_int_equal(b.open_count, 2);
    teardown(&b);
}

static void a_record_that_poisons_its_request_does_not_hold_the_others(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){.backoff_ms = 100});
    put(&b, "bad", "bad");
    for (int i = 0; i < 20; i++)
        put(&b, "ok", NULL);
    int64_t started = tw_clock_now_ms(&b.clock);
    turn(&b);
    while (status_of(&b, "queued") + status_of(&b, "in_flight") > 1) {
        bool bad = b.open_count && strcmp(b.open[0]->records[0]->id, "bad") == 0;
        if (b.open_count)
            answer(&b, bad ? TW_ANSWER_RETRY : TW_ANSWER_DONE);
        turn_after(&b, 1);
    }
    assert_true(tw_clock_now_ms(&b.clock) - started < 2000);
    teardown(&b);
}

static void only_the_part_that_was_not_taken_is_sent_again(void **state)
{
    (void)state;
    bench b;
    setup(&b, 3, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    put(&b, "c", NULL);
    turn(&b);
    answer_full(&b, (tw_answer){.answer = TW_ANSWER_RETRY_PART,
                                .retry = (const uint8_t[]){0, 1, 0}});
    turn_after(&b, 60000);
    assert_string_equal(b.told, "a b c|b");
    teardown(&b);
}

static void a_batch_too_large_is_halved_until_the_culprit_is_alone(void **state)
{
    (void)state;
    bench b;
    setup(&b, 8, 1, (tw_outbox_options){0});
    for (int i = 0; i < 5; i++)
        put(&b, (const char *[]){"a", "b", "BAD", "d", "e"}[i], NULL);
    turn(&b);
    for (int i = 0; i < 20 && b.open_count; i++) {
        bool bad = false;
        for (size_t k = 0; k < b.open[0]->count; k++)
            bad = bad || strcmp(b.open[0]->records[k]->id, "BAD") == 0;
        answer(&b, bad ? TW_ANSWER_SPLIT : TW_ANSWER_DONE);
        turn(&b);
    }
    assert_true(tw_outbox_is_empty(b.outbox));
    assert_string_equal(b.told, "a b BAD d e|a b BAD|a b|BAD d|BAD|d|e");
    assert_string_equal(b.dead, "BAD:because ");
    teardown(&b);
}

static void what_is_refused_goes_to_the_dead_and_the_rest_goes_on(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    turn(&b);
    answer(&b, TW_ANSWER_DROP);
    turn(&b);
    assert_string_equal(b.dead, "a:because ");
    assert_string_equal(b.told, "a|b");
    assert_int_equal(given_up(&b, "drop"), 1);
    teardown(&b);
}

static void a_destination_that_is_gone_is_left_alone(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    turn(&b);
    answer(&b, TW_ANSWER_DISABLE);
    put(&b, "c", NULL);
    turn_after(&b, 60000);
    assert_string_equal(b.told, "a");
    assert_int_equal(b.dead_count, 3);
    assert_int_equal(given_up(&b, "disabled"), 3);
    assert_true(tw_outbox_is_empty(b.outbox));
    teardown(&b);
}

static void
a_sink_that_never_answers_is_tried_again_and_its_late_answer_ignored(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){.timeout_ms = 1000});
    put(&b, "a", NULL);
    turn(&b);
    turn_after(&b, 999);
    assert_int_equal(status_of(&b, "in_flight"), 1);
    turn_after(&b, 1);
    assert_int_equal(status_of(&b, "in_flight"), 0);
    turn_after(&b, 600);
    assert_string_equal(b.told, "a|a");
    answer(&b, TW_ANSWER_DONE); /* the first, late */
    assert_int_equal(status_of(&b, "in_flight"), 1);
    answer(&b, TW_ANSWER_DONE);
    assert_true(tw_outbox_is_empty(b.outbox));
    teardown(&b);
}

static void deliveries_without_an_answer_do_not_pile_up_for_ever(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){.timeout_ms = 1000, .max_age_ms = 1 << 30});
    put(&b, "a", NULL);
    for (int i = 0; i < 2000; i++)
        turn_after(&b, 30000);
    assert_int_equal(b.delivered, 64);
    teardown(&b);
}

static void a_second_answer_to_a_delivery_is_ignored(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    turn(&b);
    tw_delivery *d = b.open[0];
    answer(&b, TW_ANSWER_DONE);
    tw_outbox_answer(b.outbox, d, &(tw_answer){.answer = TW_ANSWER_DONE});
    assert_int_equal(status_of(&b, "queued"), 1);
    teardown(&b);
}

static void a_sink_may_answer_before_deliver_returns(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    b.at_once = true;
    for (int i = 0; i < 5; i++)
        put(&b, "x", "k");
    turn(&b);
    assert_int_equal(b.delivered, 5);
    assert_true(tw_outbox_is_empty(b.outbox));
    teardown(&b);
}

static void *answer_from_elsewhere(void *arg)
{
    bench *b = arg;
    char text[] = "elsewhere";
    uint8_t retry[] = {0, 1};
    tw_answer a = {.answer = TW_ANSWER_RETRY_PART, .text = text, .retry = retry};
    tw_outbox_answer(b->outbox, b->open[0], &a);
    memset(text, 'x', sizeof text - 1);
    memset(retry, 1, sizeof retry);
    return NULL;
}

static void an_answer_of_another_thread_arrives_through_the_loop(void **state)
{
    (void)state;
    bench b;
    pthread_t thread;
    setup(&b, 2, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    turn(&b);
    assert_int_equal(pthread_create(&thread, NULL, answer_from_elsewhere, &b), 0);
    pthread_join(thread, NULL);
    assert_int_equal(status_of(&b, "in_flight"), 2);
    while (status_of(&b, "in_flight") > 0)
        tw_loop_turn(b.loop, true);
    assert_int_equal(status_of(&b, "queued"), 1);
    json_t *status = tw_outbox_status(b.outbox);
    assert_string_equal(json_string_value(json_object_get(status, "last_error")),
                        "elsewhere");
    json_decref(status);
    teardown(&b);
}

/* ---- the end ---- */

static void giving_up_reports_what_waits_and_lets_what_is_in_flight_finish(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 2, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    put(&b, "c", NULL);
    turn(&b);
    tw_outbox_give_up(b.outbox, "the engine stops");
    assert_string_equal(b.dead, "c:the engine stops ");
    answer(&b, TW_ANSWER_DONE);
    answer(&b, TW_ANSWER_RETRY);
    assert_string_equal(b.dead, "c:the engine stops b:the engine stops ");
    put(&b, "d", NULL);
    turn_after(&b, 60000);
    assert_string_equal(b.told, "a|b");
    assert_int_equal(given_up(&b, "stop"), 3);
    assert_true(tw_outbox_is_empty(b.outbox));
    teardown(&b);
}

static void gauges_say_what_waits_and_for_how_long(void **state)
{
    (void)state;
    bench b;
    setup(&b, 1, 1, (tw_outbox_options){0});
    put(&b, "a", NULL);
    put(&b, "b", NULL);
    turn(&b);
    turn_after(&b, 2500);
    tw_buf out;
    tw_buf_init(&out, 1 << 20);
    tw_stats_write(b.stats, &out);
    assert_non_null(strstr(out.data, "tidewatch_outbox_queued{sink=\"fake\"} 1"));
    assert_non_null(strstr(out.data, "tidewatch_outbox_inflight{sink=\"fake\"} 1"));
    assert_non_null(
        strstr(out.data, "tidewatch_outbox_oldest_seconds{sink=\"fake\"} 2.5"));
    tw_buf_done(&out);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_delivered_and_leaves_when_done),
        cmocka_unit_test(the_loop_delivers_what_is_put_without_being_asked),
        cmocka_unit_test(nothing_leaves_before_the_sink_is_connected),
        cmocka_unit_test(no_more_deliveries_are_open_than_the_sink_takes),
        cmocka_unit_test(a_later_record_of_a_key_waits_until_the_earlier_one_is_done),
        cmocka_unit_test(a_batch_may_hold_several_records_of_a_key_in_order),
        cmocka_unit_test(a_full_queue_gives_up_the_oldest_that_is_not_in_flight),
        cmocka_unit_test(records_grow_too_old),
        cmocka_unit_test(waits_grow_and_stay_under_their_limit),
        cmocka_unit_test(the_same_seed_gives_the_same_waits),
        cmocka_unit_test(retry_after_holds_the_whole_destination),
        cmocka_unit_test(a_failing_destination_is_tried_with_one_delivery_at_a_time),
        cmocka_unit_test(a_record_that_poisons_its_request_does_not_hold_the_others),
        cmocka_unit_test(only_the_part_that_was_not_taken_is_sent_again),
        cmocka_unit_test(a_batch_too_large_is_halved_until_the_culprit_is_alone),
        cmocka_unit_test(what_is_refused_goes_to_the_dead_and_the_rest_goes_on),
        cmocka_unit_test(a_destination_that_is_gone_is_left_alone),
        cmocka_unit_test(
            a_sink_that_never_answers_is_tried_again_and_its_late_answer_ignored),
        cmocka_unit_test(deliveries_without_an_answer_do_not_pile_up_for_ever),
        cmocka_unit_test(a_second_answer_to_a_delivery_is_ignored),
        cmocka_unit_test(a_sink_may_answer_before_deliver_returns),
        cmocka_unit_test(an_answer_of_another_thread_arrives_through_the_loop),
        cmocka_unit_test(giving_up_reports_what_waits_and_lets_what_is_in_flight_finish),
        cmocka_unit_test(gauges_say_what_waits_and_for_how_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
