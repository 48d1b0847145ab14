// SPDX-License-Identifier: Apache-2.0
/* An outbox from outside: made, fed, answered, looked at, given up. What happens at a
 * point in time is tw_outbox_turn; the loop's timer calls it when something is due, and
 * at least every second while something waits, which keeps the gauges fresh. */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "sink/outbox_impl.h"

#define FRESH_MS 1000

static const char *const answer_names[TW_ANSWER_CLASSES] = {
    [TW_ANSWER_DONE] = "done",
    [TW_ANSWER_RETRY] = "retry",
    [TW_ANSWER_RETRY_PART] = "retry_part",
    [TW_ANSWER_SPLIT] = "split",
    [TW_ANSWER_DROP] = "drop",
    [TW_ANSWER_DISABLE] = "disable"};
static const char *const reason_names[TW_DEAD_REASONS] = {
    [TW_DEAD_OVERFLOW] = "overflow", [TW_DEAD_SUPERSEDED] = "superseded",
    [TW_DEAD_AGE] = "age",           [TW_DEAD_DROP] = "drop",
    [TW_DEAD_DISABLED] = "disabled", [TW_DEAD_STOP] = "stop",
};

/* ---- life ---- */

static void register_metrics(tw_outbox *o, tw_stats *s)
{
    const char *sink[] = {"sink", o->name, NULL};

    o->queued_gauge =
        tw_stats_gauge(s, "outbox_queued", "Records that wait for a delivery.", sink);
    o->inflight_gauge = tw_stats_gauge(s, "outbox_inflight",
                                       "Records in a delivery not answered yet.", sink);
    o->oldest_gauge = tw_stats_gauge(s, "outbox_oldest_seconds",
                                     "Age of the oldest record not delivered.", sink);
    atomic_store(&o->oldest_gauge->scale, 1000);
    for (int i = 0; i < TW_ANSWER_CLASSES; i++) {
        const char *labels[] = {"sink", o->name, "answer", answer_names[i], NULL};
        o->answers[i] = tw_stats_counter(s, "deliveries_total",
                                         "Deliveries by the sink's answer.", labels);
    }
    for (int i = 0; i < TW_DEAD_REASONS; i++) {
        const char *labels[] = {"sink", o->name, "reason", reason_names[i], NULL};
        o->given_up[i] = tw_stats_counter(s, "outbox_given_up_total",
                                          "Records that were never delivered.", labels);
    }
}

static void fill_defaults(tw_outbox_options *options)
{
    if (options->max_records == 0)
        options->max_records = 10000;
    if (options->max_age_ms <= 0)
        options->max_age_ms = 3600 * 1000;
    if (options->backoff_ms <= 0)
        options->backoff_ms = 500;
    if (options->backoff_max_ms <= 0)
        options->backoff_max_ms = 60 * 1000;
    if (options->timeout_ms <= 0)
        options->timeout_ms = 30 * 1000;
}

static void on_timer_due(void *arg)
{
    tw_outbox *o = arg;
    tw_outbox_turn(o, tw_outbox_now_ms(o));
}

static void on_wake_readable(void *arg, int fd, int events)
{
    tw_outbox *o = arg;
    uint64_t drained;

    (void)events;
    if (read(fd, &drained, sizeof drained) < 0)
        return;
    tw_outbox_turn(o, tw_outbox_now_ms(o));
}

tw_outbox *tw_outbox_new(const tw_outbox_options *options)
{
    tw_outbox *o = tw_alloc(sizeof *o);

    o->options = *options;
    fill_defaults(&o->options);
    o->name = tw_strdup(options->name);
    o->max_batch = options->type->max_batch ? options->type->max_batch : 1;
    o->max_inflight = options->type->max_inflight ? options->type->max_inflight : 1;
    o->keys = tw_map_new(NULL);
    o->random = options->seed;
    o->gives_way = !options->pressure;
    o->shore = pthread_self();
    pthread_mutex_init(&o->lock, NULL);
    o->letters_end = &o->letters;
    register_metrics(o, options->stats);
    o->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (o->wake_fd >= 0)
        o->wake =
            tw_loop_fd(options->loop, o->wake_fd, TW_WATCH_READ, on_wake_readable, o);
    o->timer = tw_loop_timer(options->loop, FRESH_MS, 0, on_timer_due, o);
    return o;
}

static outbox_letter *take_letters(tw_outbox *o)
{
    pthread_mutex_lock(&o->lock);
    outbox_letter *letter = o->letters;
    o->letters = NULL;
    o->letters_end = &o->letters;
    pthread_mutex_unlock(&o->lock);
    return letter;
}

static void letter_free(outbox_letter *letter)
{
    tw_free((char *)(uintptr_t)letter->answer.text);
    tw_free((uint8_t *)(uintptr_t)letter->answer.retry);
    tw_free(letter);
}

/* No one is told of what is still here: tw_outbox_give_up was the time for that, and by
 * now the dead-letter outbox may be gone. */
void tw_outbox_free(tw_outbox *o)
{
    if (!o)
        return;
    for (outbox_letter *letter = take_letters(o), *next; letter; letter = next) {
        next = letter->next;
        letter_free(letter);
    }
    o->options.pressure = NULL;
    while (o->first)
        tw_outbox_item_remove(o, o->first);
    while (o->flights) {
        outbox_flight *f = o->flights;
        o->flights = f->next;
        tw_outbox_flight_free(f);
    }
    tw_watch_end(o->timer);
    tw_watch_end(o->wake);
    if (o->wake_fd >= 0)
        close(o->wake_fd);
    pthread_mutex_destroy(&o->lock);
    tw_map_free(o->keys);
    tw_free(o->name);
    tw_free(o->stop_reason);
    tw_free(o->last_error);
    tw_free(o);
}

void tw_outbox_connect(tw_outbox *o, void *instance)
{
    o->instance = instance;
    tw_outbox_arm(o, 0);
}

/* ---- time ---- */

int64_t tw_outbox_now_ms(const tw_outbox *o)
{
    return o->options.clock->is_virtual ? tw_clock_now_ms(o->options.clock)
                                        : tw_mono_ms();
}

void tw_outbox_arm(tw_outbox *o, int64_t after_ms)
{
    if (o->timer)
        tw_watch_timer_again(o->timer, after_ms > 0 ? after_ms : 0, 0);
}

static int64_t oldest_ms(const tw_outbox *o, int64_t now_ms)
{
    return o->first ? now_ms - o->first->put_ms : 0;
}

static void set_gauges(tw_outbox *o, int64_t now_ms)
{
    tw_gauge_set(o->queued_gauge, (int64_t)(o->count - o->in_flight_records));
    tw_gauge_set(o->inflight_gauge, (int64_t)o->in_flight_records);
    tw_gauge_set(o->oldest_gauge, oldest_ms(o, now_ms));
}

int64_t tw_outbox_turn(tw_outbox *o, int64_t now_ms)
{
    for (outbox_letter *letter = take_letters(o), *next; letter; letter = next) {
        next = letter->next;
        tw_outbox_settle(o, letter->delivery, &letter->answer, now_ms);
        letter_free(letter);
    }
    tw_outbox_end_overdue(o, now_ms);
    tw_outbox_expire(o, now_ms);
    tw_outbox_make_room(o, NULL);
    int64_t next_ms = tw_outbox_send(o, now_ms);
    int64_t deadline_ms = tw_outbox_next_deadline(o);

    if (deadline_ms < next_ms)
        next_ms = deadline_ms;
    if (o->first && next_ms > now_ms + FRESH_MS)
        next_ms = now_ms + FRESH_MS;
    set_gauges(o, now_ms);
    if (next_ms != INT64_MAX)
        tw_outbox_arm(o, next_ms - now_ms);
    return next_ms;
}

/* ---- in and out ---- */

void tw_outbox_put(tw_outbox *o, tw_parcel *p)
{
    int64_t now_ms = tw_outbox_now_ms(o);
    outbox_item *item = tw_outbox_item_add(o, p, now_ms);

    if (o->stop_reason)
        tw_outbox_item_dead(o, item, TW_DEAD_STOP, o->stop_reason);
    else if (o->disabled)
        tw_outbox_item_dead(o, item, TW_DEAD_DISABLED, "the destination is gone");
    else
        tw_outbox_make_room(o, item);
    tw_outbox_feel_pressure(o);
    set_gauges(o, now_ms);
    tw_outbox_arm(o, 0);
}

void tw_outbox_give_way(tw_outbox *o, bool gives_way)
{
    o->gives_way = gives_way;
    if (gives_way)
        tw_outbox_make_room(o, NULL);
}

bool tw_outbox_is_failing(const tw_outbox *o)
{
    return o->failures > 0;
}

bool tw_outbox_is_stuck(const tw_outbox *o)
{
    return o->count > 0 && tw_outbox_now_ms(o) - o->moved_ms >= o->options.patience_ms;
}

bool tw_outbox_is_full(const tw_outbox *o)
{
    return o->is_full;
}

bool tw_outbox_is_full_of_events(const tw_outbox *o)
{
    return o->events.is_full;
}

static outbox_letter *write_letter(tw_delivery *d, const tw_answer *a)
{
    outbox_letter *letter = tw_alloc(sizeof *letter);

    letter->delivery = d;
    letter->answer = *a;
    letter->answer.text = tw_strdup(a->text);
    letter->answer.retry = NULL;
    if (a->retry && d->count) {
        uint8_t *retry = tw_alloc(d->count);
        memcpy(retry, a->retry, d->count);
        letter->answer.retry = retry;
    }
    return letter;
}

/* On the shore an answer counts at once, so that none is lost when the sink answers all
 * it has and stops in one breath. What it makes possible starts with the next turn. */
void tw_outbox_answer(tw_outbox *o, tw_delivery *d, const tw_answer *a)
{
    if (pthread_equal(pthread_self(), o->shore)) {
        int64_t now_ms = tw_outbox_now_ms(o);
        tw_outbox_settle(o, d, a, now_ms);
        set_gauges(o, now_ms);
        tw_outbox_arm(o, 0);
        return;
    }
    outbox_letter *letter = write_letter(d, a);
    pthread_mutex_lock(&o->lock);
    *o->letters_end = letter;
    o->letters_end = &letter->next;
    pthread_mutex_unlock(&o->lock);
    uint64_t one = 1;
    if (write(o->wake_fd, &one, sizeof one) < 0)
        tw_log_debug("outbox", "is awake already", "sink", o->name, NULL);
}

size_t tw_outbox_count(const tw_outbox *o)
{
    return o->count;
}

bool tw_outbox_is_empty(const tw_outbox *o)
{
    return o->count == 0;
}

void tw_outbox_give_up(tw_outbox *o, const char *reason)
{
    if (o->stop_reason)
        return;
    o->stop_reason = tw_strdup(reason);
    tw_outbox_items_dead(o, TW_DEAD_STOP, reason);
    set_gauges(o, tw_outbox_now_ms(o));
}

static json_t *counts(tw_counter *const *counters, const char *const *names, int count)
{
    json_t *all = json_object();

    for (int i = 0; i < count; i++) {
        uint64_t n = atomic_load_explicit(&counters[i]->value, memory_order_relaxed);
        json_object_set_new(all, names[i], json_integer((json_int_t)n));
    }
    return all;
}

json_t *tw_outbox_status(const tw_outbox *o)
{
    json_t *status = json_object();
    int64_t age_ms = oldest_ms(o, tw_outbox_now_ms(o));

    json_object_set_new(status, "name", json_string(o->name));
    json_object_set_new(status, "kind", json_string(o->options.type->kind));
    json_object_set_new(status, "queued",
                        json_integer((json_int_t)(o->count - o->in_flight_records)));
    json_object_set_new(status, "in_flight",
                        json_integer((json_int_t)o->in_flight_records));
    json_object_set_new(status, "oldest_seconds", json_real((double)age_ms / 1000));
    json_object_set_new(status, "failures", json_integer(o->failures));
    json_object_set_new(status, "disabled", json_boolean(o->disabled));
    json_object_set_new(status, "deliveries",
                        counts(o->answers, answer_names, TW_ANSWER_CLASSES));
    json_object_set_new(status, "given_up",
                        counts(o->given_up, reason_names, TW_DEAD_REASONS));
    json_object_set_new(status, "last_error",
                        o->last_error ? json_string(o->last_error) : json_null());
    return status;
}
