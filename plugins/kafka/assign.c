// SPDX-License-Identifier: Apache-2.0
/* Who reads what from where: follows the group's assignments, finds each partition's
 * first offset, gives feeds to the host and takes them back. Shore, except the run
 * function of the position errand.
 *
 * The group's assignment is confirmed to librdkafka only when the positions are known:
 * it keeps the membership alive meanwhile. Whatever was asked under an older epoch is
 * thrown away when it comes back. */
#include "source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUERY_MS = 5000, REVOKE_STORE_MS = 3000, ASK_AGAIN_MS = 1000 };

typedef rd_kafka_topic_partition_list_t partition_list;
typedef rd_kafka_topic_partition_t partition;

/* For each wanted partition: what the group stored and what the log holds. */
typedef struct position_errand {
    errand base; /* first */
    source *src;
    unsigned epoch;
    bool is_whole;    /* a new assignment, not one partition of the standing one */
    int64_t since_ms; /* look up the first record from this time on; TW_NO_TIME: do not */
    partition_list *stored, *low, *high, *at_time;
    rd_kafka_resp_err_t err;
} position_errand;

static void position_errand_free(position_errand *e)
{
    partition_list *lists[] = {e->stored, e->low, e->high, e->at_time};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (lists[i])
            rd_kafka_topic_partition_list_destroy(lists[i]);
    free(e);
}

/* ---- asking, on the helper thread -------------------------------------------------- */

static rd_kafka_resp_err_t first_error(const partition_list *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err)
            return list->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t query(rd_kafka_t *rk, partition_list *list, int64_t what)
{
    rd_kafka_resp_err_t err;

    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = what;
    err = rd_kafka_offsets_for_times(rk, list, QUERY_MS);
    return err ? err : first_error(list);
}

static void run_position_errand(errand *base, rd_kafka_t *rk)
{
    position_errand *e = (position_errand *)base;

    e->err = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (e->is_whole) {
        e->err = rd_kafka_committed(rk, e->stored, QUERY_MS);
        if (!e->err)
            e->err = first_error(e->stored);
    }
    if (!e->err)
        e->err = query(rk, e->low, RD_KAFKA_OFFSET_BEGINNING);
    if (!e->err)
        e->err = query(rk, e->high, RD_KAFKA_OFFSET_END);
    if (!e->err && e->since_ms != TW_NO_TIME)
        e->err = query(rk, e->at_time, e->since_ms);
}

/* ---- deciding ---------------------------------------------------------------------- */

/* What came before the topic was there to be read came after the source's start. */
static bool is_of_new_topic(const source *s, const char *topic)
{
    for (size_t i = 0; i < s->topic_count; i++)
        if (strcmp(s->topics[i], topic) == 0)
            return s->topic_is_new[i];
    return false;
}

/* The first offset of partition i, or -1 when the operator has to decide. */
static int64_t decide_start(const position_errand *e, int i)
{
    const source *s = e->src;
    const partition *p = &e->stored->elems[i];
    int64_t low = e->low->elems[i].offset, high = e->high->elems[i].offset;
    char why[200];

    if (p->offset >= low && p->offset <= high)
        return p->offset;
    if (p->offset >= 0 && p->offset < low)
        snprintf(why, sizeof why,
                 "its position %" PRId64 " was deleted, the log begins "
                 "at %" PRId64,
                 p->offset, low);
    else if (p->offset > high)
        snprintf(why, sizeof why,
                 "its position %" PRId64 " is behind the end of the log, "
                 "%" PRId64 ": records were lost",
                 p->offset, high);
    else if (s->settings.start == START_EARLIEST ||
             (s->settings.start == START_LATEST && is_of_new_topic(s, p->topic)))
        return low;
    else if (e->since_ms != TW_NO_TIME)
        return e->at_time->elems[i].offset < 0 ? high : e->at_time->elems[i].offset;
    else if (s->settings.start == START_LATEST)
        return high;
    else
        snprintf(why, sizeof why, "group %s has no position stored", s->settings.group);

    kafka_log(s->h, TW_PLUGIN_WARN, "%s[%d]: %s; on_missing_offset says %s", p->topic,
              (int)p->partition, why,
              s->settings.missing == MISSING_FAIL       ? "fail"
              : s->settings.missing == MISSING_EARLIEST ? "earliest"
                                                        : "latest");
    switch (s->settings.missing) {
    case MISSING_EARLIEST:
        return low;
    case MISSING_LATEST:
        return high;
    case MISSING_FAIL:
        break;
    }
    source_fail((source *)e->src, KAFKA_EXIT_NO_POSITION,
                "%s[%d]: %s; on_missing_offset: earliest or latest would go on", p->topic,
                (int)p->partition, why);
    return -1;
}

/* ---- feeds ------------------------------------------------------------------------- */

feed *assign_find_feed(source *s, const char *topic, int32_t partition_id)
{
    feed *f = s->feeds;

    while (f && (f->partition != partition_id || strcmp(f->topic, topic) != 0))
        f = f->next_feed;
    return f;
}

static const char *own_topic(const source *s, const char *topic)
{
    for (size_t i = 0; i < s->topic_count; i++)
        if (strcmp(s->topics[i], topic) == 0)
            return s->topics[i];
    return NULL;
}

static feed *add_feed(source *s, const position_errand *e, int i, int64_t start)
{
    const partition *p = &e->stored->elems[i];
    feed *f = kafka_alloc(sizeof *f);

    f->src = s;
    f->topic = own_topic(s, p->topic);
    f->partition = p->partition;
    f->next = start;
    f->handled = start;
    f->stored = -1;
    f->end_offset = e->high->elems[i].offset;
    f->mean_bytes = 500;
    f->queue = rd_kafka_queue_get_partition(s->rk, p->topic, p->partition);
    rd_kafka_queue_forward(f->queue, NULL);
    f->next_feed = s->feeds;
    s->feeds = f;
    return f;
}

/* The lane may poll as soon as the host has the feed. */
static int open_feed(feed *f)
{
    static const uint64_t one = 1;
    const tw_host *h = f->src->h;
    int fd;

    if (h->feed_add(h, &f->base, f->topic, f->partition) != 0)
        return -1;
    fd = h->feed_wake_fd(h, &f->base);
    rd_kafka_queue_io_event_enable(f->queue, fd, &one, sizeof one);
    /* What came before the line above has woken nobody. */
    return write(fd, &one, sizeof one) == (ssize_t)sizeof one ? 0 : -1;
}

static void unlink_feed(source *s, feed *f)
{
    feed **at = &s->feeds;

    while (*at != f)
        at = &(*at)->next_feed;
    *at = f->next_feed;
}

/* Back from the host; its last word on what was handled goes into f->handled. */
static void close_feed(source *s, feed *f, int lost)
{
    int64_t next = -1;

    rd_kafka_queue_io_event_enable(f->queue, -1, NULL, 0);
    if (s->h->feed_remove(s->h, &f->base, lost, &next) == 0 && next > f->handled)
        f->handled = next;
    rd_kafka_queue_destroy(f->queue);
    f->queue = NULL;
}

static void drop_feed(source *s, feed *f)
{
    unlink_feed(s, f);
    close_feed(s, f, 1);
    free(f);
}

void assign_drop_feeds(source *s)
{
    while (s->feeds)
        drop_feed(s, s->feeds);
}

/* ---- taking an assignment ---------------------------------------------------------- */

static void confirm_assignment(source *s, const partition_list *fresh, bool is_whole)
{
    bool step = strcmp(rd_kafka_rebalance_protocol(s->rk), "COOPERATIVE") == 0;
    partition_list *all;
    rd_kafka_error_t *error = NULL;

    if (step) {
        if (!is_whole)
            rd_kafka_error_destroy(rd_kafka_incremental_unassign(s->rk, fresh));
        error = rd_kafka_incremental_assign(s->rk, fresh);
    } else {
        all = rd_kafka_topic_partition_list_new(8);
        for (const feed *f = s->feeds; f; f = f->next_feed)
            rd_kafka_topic_partition_list_add(all, f->topic, f->partition)->offset =
                f->next;
        if (rd_kafka_assign(s->rk, all))
            kafka_log(s->h, TW_PLUGIN_WARN, "the assignment could not be taken");
        rd_kafka_topic_partition_list_destroy(all);
    }
    if (error) {
        kafka_log(s->h, TW_PLUGIN_WARN, "the assignment could not be taken: %s",
                  rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
}

/* A partition that was lost while the brokers were away comes back with an older position
 * than ours. What this process has handled it need not repeat, whoever had it meanwhile. */
static void recall(const source *s, position_errand *e, int i)
{
    partition *p = &e->stored->elems[i];
    const partition *known =
        rd_kafka_topic_partition_list_find(s->known, p->topic, p->partition);

    if (known && known->offset > p->offset && known->offset <= e->high->elems[i].offset)
        p->offset = known->offset;
}

static void take_positions(source *s, position_errand *e)
{
    partition_list *fresh = rd_kafka_topic_partition_list_new(e->stored->cnt);

    for (int i = 0; i < e->stored->cnt && !s->failed; i++) {
        const partition *p = &e->stored->elems[i];

        if (e->is_whole)
            recall(s, e, i);
        rd_kafka_topic_partition_list_add(fresh, p->topic, p->partition)->offset =
            decide_start(e, i);
    }
    if (s->failed) { /* the engine stops: no feed begins */
        rd_kafka_topic_partition_list_destroy(fresh);
        return;
    }
    for (int i = 0; i < fresh->cnt; i++) {
        feed *old = assign_find_feed(s, fresh->elems[i].topic, fresh->elems[i].partition);

        if (old)
            drop_feed(s, old);
        add_feed(s, e, i, fresh->elems[i].offset);
    }
    confirm_assignment(s, fresh, e->is_whole);
    for (int i = 0; i < fresh->cnt; i++) {
        feed *f = assign_find_feed(s, fresh->elems[i].topic, fresh->elems[i].partition);

        if (open_feed(f) < 0)
            source_fail(s, KAFKA_EXIT_FATAL, "%s[%d]: the engine refused the partition",
                        f->topic, (int)f->partition);
    }
    rd_kafka_topic_partition_list_destroy(fresh);
    source_store_positions(s, 0);
}

void assign_tick(source *s)
{
    errand *e = s->ask_again;

    if (!e || s->h->now_ms(s->h) < s->ask_again_ms)
        return;
    s->ask_again = NULL;
    while (e) {
        errand *next = e->next;

        if (((position_errand *)e)->epoch == s->epoch)
            errands_put(s->errands, e);
        else
            position_errand_free((position_errand *)e);
        e = next;
    }
}

void assign_forget(source *s)
{
    while (s->ask_again) {
        errand *e = s->ask_again;

        s->ask_again = e->next;
        position_errand_free((position_errand *)e);
    }
}

static void on_positions(void *arg)
{
    position_errand *e = arg;
    source *s = e->src;

    if (e->epoch != s->epoch || s->stopping) {
        position_errand_free(e);
        return;
    }
    if (e->err) {
        snprintf(s->start_error, sizeof s->start_error, "%s", rd_kafka_err2str(e->err));
        source_tell_trouble(s);
        e->base.next = s->ask_again;
        s->ask_again = &e->base;
        s->ask_again_ms = s->h->now_ms(s->h) + ASK_AGAIN_MS;
        return;
    }
    s->start_error[0] = '\0';
    s->was_assigned = true;
    s->is_lost = false;
    take_positions(s, e);
    if (!s->failed)
        s->finding_start = false;
    position_errand_free(e);
    source_tell_trouble(s);
}

/* Takes the list. */
static void ask_positions(source *s, partition_list *stored, bool is_whole)
{
    position_errand *e = kafka_alloc(sizeof *e);

    e->base.run = run_position_errand;
    e->base.done = on_positions;
    e->src = s;
    e->epoch = s->epoch;
    e->is_whole = is_whole;
    e->stored = stored;
    e->low = rd_kafka_topic_partition_list_copy(stored);
    e->high = rd_kafka_topic_partition_list_copy(stored);
    e->at_time = rd_kafka_topic_partition_list_copy(stored);
    e->since_ms = TW_NO_TIME;
    if (s->settings.start == START_TIME)
        e->since_ms = s->settings.start_ms;
    /* A partition without a position that comes later is most likely a new one: nothing
     * of it has been missed yet, so nothing is skipped. */
    else if (s->settings.start == START_LATEST && s->was_assigned)
        e->since_ms = s->started_ms;
    if (is_whole)
        s->finding_start = true;
    errands_put(s->errands, &e->base);
}

void assign_feed_again(source *s, const char *topic, int32_t partition_id)
{
    feed *f = assign_find_feed(s, topic, partition_id);
    partition_list *one = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(one, topic, partition_id)->offset = f->next;
    ask_positions(s, one, false);
}

void assign_give_up(source *s)
{
    partition_list *none = rd_kafka_topic_partition_list_new(0);
    bool step = strcmp(rd_kafka_rebalance_protocol(s->rk), "COOPERATIVE") == 0;

    if (s->finding_start && step)
        rd_kafka_error_destroy(rd_kafka_incremental_assign(s->rk, none));
    else if (s->finding_start)
        rd_kafka_assign(s->rk, NULL);
    s->finding_start = false;
    rd_kafka_topic_partition_list_destroy(none);
}

/* ---- the group's word -------------------------------------------------------------- */

static void remember(source *s, const feed *f)
{
    partition *p = rd_kafka_topic_partition_list_find(s->known, f->topic, f->partition);

    if (!p)
        p = rd_kafka_topic_partition_list_add(s->known, f->topic, f->partition);
    p->offset = f->handled;
}

static void take_back(source *s, const partition_list *list, int lost)
{
    feed *closed = NULL;

    for (int i = 0; i < list->cnt; i++) {
        feed *f = assign_find_feed(s, list->elems[i].topic, list->elems[i].partition);

        if (!f)
            continue;
        close_feed(s, f, lost);
        remember(s, f);
        if (lost)
            f->stored = f->handled; /* another member's by now: not ours to store */
    }
    if (!lost)
        source_store_positions(s, s->brokers_up == 0 ? 100 : REVOKE_STORE_MS);
    for (feed *f = s->feeds, *next; f; f = next) {
        next = f->next_feed;
        if (!f->queue) {
            unlink_feed(s, f);
            f->next_feed = closed;
            closed = f;
        }
    }
    while (closed) {
        feed *next = closed->next_feed;
        free(closed);
        closed = next;
    }
}

static void unassign(source *s, const partition_list *list)
{
    if (strcmp(rd_kafka_rebalance_protocol(s->rk), "COOPERATIVE") == 0)
        rd_kafka_error_destroy(rd_kafka_incremental_unassign(s->rk, list));
    else
        rd_kafka_assign(s->rk, NULL);
}

void assign_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                         partition_list *partitions, void *opaque)
{
    source *s = opaque;
    int lost = rd_kafka_assignment_lost(rk);

    bool is_given = err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;

    s->epoch++;
    s->finding_start = false;
    s->h->add(s->rebalances, 1);
    kafka_log(s->h, TW_PLUGIN_INFO, "%d partitions %s", partitions->cnt,
              is_given ? "assigned"
              : lost   ? "lost"
                       : "revoked");
    /* All are revoked before each new assignment, but for the cooperative protocol. */
    if (is_given && !s->stopping)
        source_tell_share(s, partitions->cnt);
    if (is_given && partitions->cnt > 0 && !s->stopping && !s->failed) {
        ask_positions(s, rd_kafka_topic_partition_list_copy(partitions), true);
        return;
    }
    take_back(s, partitions, lost);
    s->is_lost = lost;
    if (is_given)
        s->was_assigned = true; /* to nothing: there are more members than partitions */
    unassign(s, partitions);
    source_tell_trouble(s);
}
