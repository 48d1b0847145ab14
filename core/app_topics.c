// SPDX-License-Identifier: Apache-2.0
/* Look-up tables that are topics. Each has a guest of its own, which reads the topic whole without a group;
 * its records are taken on the shore, some hundreds at a time, and what comes of them is published for the
 * lanes after each batch (flow/rows_live.h), which stops nobody.
 *
 * Judging begins when every table has been read to the end it had at the start: the sources of streams are
 * started only then, so no event is judged against half a table. After `wait` it begins all the same,
 * with what there is, and that is told and shows until the table is complete. Shore thread. */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "app_impl.h"
#include "base/log.h"
#include "base/mem.h"

#define BATCH 256
#define EXPECT_EVERY_MS 5000
#define EXPECT_SHARE 20 /* lanes stand still for it a twentieth of the time at most */

/* ---- records ----------------------------------------------------------------------- */

static tw_topic_unit *unit_of(tw_app *app, const tw_guest *g)
{
    for (uint32_t i = 0; i < app->topic_count; i++) {
        if (app->topics[i].guest == g)
            return &app->topics[i];
    }
    return NULL;
}

static void say_odd(tw_topic_unit *u, const tw_frame *f, const char *why)
{
    tw_app *app = u->app;
    char *where = tw_asprintf("table %s", u->config->name);
    uint64_t left_out;

    if (tw_app_say_once(&app->bad_said, where, why, tw_clock_now_ms(&app->clock),
                        &left_out))
        tw_log_warn("table", "a record is not taken", "table", u->config->name, "topic",
                    u->config->topic, "offset", TW_LOG_INT(f->offset), "reason", why,
                    "not_logged_since", TW_LOG_INT(left_out), NULL);
    tw_free(where);
    tw_free(u->last_odd);
    u->last_odd = tw_strdup(why);
}

static void take(tw_topic_unit *u, const tw_frame *f, int64_t now_ms)
{
    const char *why = NULL;
    tw_topic_record r = {.key = f->key,
                         .key_size = f->key_size,
                         .data = f->data,
                         .size = f->size,
                         .time_ms = f->time_ms == TW_NO_TIME ? now_ms : f->time_ms};
    tw_topic_fate fate = tw_topic_table_take(u->table, &r, &why);

    if (fate == TW_TOPIC_TAKEN)
        return;
    tw_count(fate == TW_TOPIC_ODD ? u->odd : u->refused, 1);
    say_odd(u, f, why);
}

static void publish(tw_topic_unit *u)
{
    tw_live_rows_publish(u->live, tw_topic_table_rows(u->table));
    u->has_changed = true;
}

static void show_counts(tw_topic_unit *u, uint64_t forgotten_before)
{
    tw_topic_counts c = tw_topic_table_counts(u->table);

    tw_gauge_set(u->rows, (int64_t)c.rows);
    tw_gauge_set(u->bytes, (int64_t)c.bytes);
    tw_gauge_set(u->ready, u->is_read);
    tw_count(u->forgotten, c.forgotten - forgotten_before);
}

/* While it is read for the first time nobody else has the tree, so it grows in place. */
static bool may_be_seen(const tw_topic_unit *u)
{
    return u->is_read || u->is_overdue;
}

static void poll_records(tw_topic_unit *u)
{
    static const uint64_t one = 1;
    tw_frame frames[BATCH];
    int64_t now_ms = tw_clock_now_ms(&u->app->clock);
    uint64_t forgotten = tw_topic_table_counts(u->table).forgotten;
    int count = u->feed ? u->guest->source->poll(u->feed, frames, BATCH) : 0;

    if (count == 0)
        return;
    for (int i = 0; i < count; i++)
        take(u, &frames[i], now_ms);
    u->guest->source->release(u->feed, frames, count);
    tw_count(u->records, (uint64_t)count);
    show_counts(u, forgotten);
    if (may_be_seen(u))
        publish(u);
    /* The rest at the loop's next turn, so that others have theirs. */
    if (count == BATCH && write(u->wake_fd, &one, sizeof one) != (ssize_t)sizeof one)
        tw_log_error("table", "the loop cannot be woken", "table", u->config->name, NULL);
}

static void on_wake(void *arg, int fd, int events)
{
    uint64_t count;

    (void)events;
    if (read(fd, &count, sizeof count) == (ssize_t)sizeof count)
        poll_records(arg);
}

/* ---- the feed ---------------------------------------------------------------------- */

static int on_feed_add(void *self, tw_guest *g, tw_feed *feed, const char *topic,
                       int32_t partition)
{
    tw_app *app = self;
    tw_topic_unit *u = unit_of(app, g);

    (void)topic, (void)partition;
    if (u->feed || app->phase > TW_APP_RUNNING)
        return TW_ESTATE;
    u->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    u->wake_watch = u->wake_fd < 0
                        ? NULL
                        : tw_loop_fd(app->loop, u->wake_fd, TW_WATCH_READ, on_wake, u);
    if (!u->wake_watch)
        return TW_EIO;
    u->feed = feed;
    return TW_OK;
}

static int on_feed_remove(void *self, tw_guest *g, tw_feed *feed, bool lost,
                          int64_t *out_next)
{
    tw_topic_unit *u = unit_of(self, g);

    (void)feed, (void)lost;
    *out_next = -1;
    if (!u->feed)
        return TW_ESTATE;
    tw_watch_end(u->wake_watch);
    close(u->wake_fd);
    u->wake_fd = -1;
    u->wake_watch = NULL;
    u->feed = NULL;
    return TW_OK;
}

static int wake_fd_of(void *self, const tw_feed *feed)
{
    const tw_app *app = self;

    for (uint32_t i = 0; i < app->topic_count; i++) {
        if (app->topics[i].feed == feed)
            return app->topics[i].wake_fd;
    }
    return -1;
}

static void on_feed_end(void *self, tw_guest *g, tw_feed *feed)
{
    tw_topic_unit *u = unit_of(self, g);
    tw_topic_counts c = tw_topic_table_counts(u->table);

    (void)feed;
    if (u->is_read)
        return;
    u->is_read = true;
    tw_gauge_set(u->ready, 1);
    publish(u);
    tw_log_info("table", "read to its end", "table", u->config->name, "topic",
                u->config->topic, "rows", TW_LOG_INT(c.rows), "records",
                TW_LOG_INT(c.records), "ms", TW_LOG_INT(tw_mono_ms() - u->started_ms),
                NULL);
}

/* ---- when judging may begin -------------------------------------------------------- */

char *tw_app_topic_trouble(const tw_topic_unit *u)
{
    const char *trouble = u->guest->trouble;
    tw_topic_counts c = tw_topic_table_counts(u->table);

    if (!u->is_read)
        return tw_asprintf("being read, %llu records so far%s%s",
                           (unsigned long long)c.records, trouble ? "; " : "",
                           trouble ? trouble : "");
    if (trouble)
        return tw_strdup(trouble);
    if (u->last_odd)
        return tw_asprintf("%llu records not taken; the last: %s",
                           (unsigned long long)(c.odd + c.refused), u->last_odd);
    return NULL;
}

static void give_up_waiting(tw_topic_unit *u)
{
    char *trouble = tw_app_topic_trouble(u);

    u->is_overdue = true;
    publish(u);
    tw_log_warn("table", "judging begins without all of it", "table", u->config->name,
                "topic", u->config->topic, "reason", trouble, NULL);
    tw_free(trouble);
}

bool tw_app_topics_are_there(tw_app *app)
{
    bool all = true;

    for (uint32_t i = 0; i < app->topic_count; i++) {
        tw_topic_unit *u = &app->topics[i];
        if (!may_be_seen(u) && tw_mono_ms() - u->started_ms >= u->config->wait_ms)
            give_up_waiting(u);
        all = all && may_be_seen(u);
    }
    return all;
}

void tw_app_expect_topics(tw_app *app)
{
    bool any = false;

    int64_t now_ms = tw_mono_ms();

    if (!app->is_judging || now_ms < app->expect_again_ms)
        return;
    for (uint32_t i = 0; i < app->topic_count; i++) {
        tw_topic_unit *u = &app->topics[i];
        any = any || (u->has_changed && tw_engine_expects(app->engine, u->config->name));
        u->has_changed = false;
    }
    if (any)
        tw_engine_expect_again(app->engine);
    int64_t took_ms = tw_mono_ms() - now_ms;
    app->expect_again_ms =
        now_ms + (took_ms * EXPECT_SHARE > EXPECT_EVERY_MS ? took_ms * EXPECT_SHARE
                                                           : EXPECT_EVERY_MS);
}

/* ---- for people -------------------------------------------------------------------- */

json_t *tw_app_show_topic(const tw_topic_unit *u)
{
    tw_topic_counts c = tw_topic_table_counts(u->table);
    char *trouble = tw_app_topic_trouble(u);
    json_t *shown = json_pack(
        "{s:s, s:s, s:I, s:s?, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "name",
        u->config->name, "topic", u->config->topic, "rows", (json_int_t)c.rows, "error",
        trouble, "read", u->is_read, "bytes", (json_int_t)c.bytes, "records",
        (json_int_t)c.records, "deleted", (json_int_t)c.deleted, "odd", (json_int_t)c.odd,
        "refused", (json_int_t)c.refused, "forgotten", (json_int_t)c.forgotten);

    tw_free(trouble);
    return shown;
}

static void register_stats(tw_topic_unit *u)
{
    tw_stats *s = u->app->stats;
    const char *labels[] = {"table", u->config->name, NULL};

    u->rows = tw_stats_gauge(s, "table_rows", "Keys that have a row in a look-up table.",
                             labels);
    u->bytes = tw_stats_gauge(
        s, "table_bytes", "Keys and values of a table of a topic, as they came.", labels);
    u->ready = tw_stats_gauge(
        s, "table_read", "Whether a table of a topic has been read to its end.", labels);
    u->records = tw_stats_counter(s, "table_records_total",
                                  "Records read for a table of a topic.", labels);
    u->odd = tw_stats_counter(s, "table_odd_records_total",
                              "Records that are no row and changed nothing.", labels);
    u->refused = tw_stats_counter(s, "table_refused_records_total",
                                  "Records for which the table had no room.", labels);
    u->forgotten = tw_stats_counter(s, "table_forgotten_versions_total",
                                    "Versions of rows that went for newer ones.", labels);
}

/* ---- life -------------------------------------------------------------------------- */

bool tw_app_is_topic(const tw_config *config, uint32_t source)
{
    for (uint32_t i = 0; i < config->table_count; i++) {
        if (config->tables[i].topic && config->tables[i].source == source)
            return true;
    }
    return false;
}

static int open_topic(tw_app *app, tw_topic_unit *u, tw_err *err)
{
    const tw_config_source *source = &app->config->sources[u->config->source];
    const tw_source_type *type = tw_plugins_source(app->plugins, source->kind, err);
    const char *topic = u->config->topic;
    tw_topic_table_options options = {.key = u->config->columns.key,
                                      .versions = u->config->versions,
                                      .max_rows = u->config->max_rows,
                                      .max_bytes = u->config->max_bytes,
                                      .max_record_bytes = app->config->limits.size_bytes};

    u->table = tw_topic_table_new(&options);
    u->live = tw_live_rows_new();
    register_stats(u);
    if (!type)
        return TW_ENOTFOUND;
    type = tw_plugin_table_type(type);
    if (!type)
        return tw_err_set(err, TW_EINVAL,
                          "table '%s': a source of kind '%s' cannot be read as a table",
                          u->config->name, source->kind);
    char *settings = json_dumps(source->settings, JSON_COMPACT);
    char *name = tw_asprintf("table %s", u->config->name);
    u->guest = tw_guest_new(&app->topic_house, name, type, NULL, settings,
                            app->config->state_dir);
    tw_free(name);
    free(settings);
    return tw_guest_open(u->guest, &topic, 1, err);
}

int tw_app_open_topics(tw_app *app, tw_err *err)
{
    app->topic_house = app->house;
    app->topic_house.feed_add = on_feed_add;
    app->topic_house.feed_remove = on_feed_remove;
    app->topic_house.feed_wake_fd = wake_fd_of;
    app->topic_house.feed_end = on_feed_end;
    app->topics = tw_calloc(app->config->table_count + 1, sizeof *app->topics);
    for (uint32_t i = 0; i < app->config->table_count; i++) {
        if (!app->config->tables[i].topic)
            continue;
        tw_topic_unit *u = &app->topics[app->topic_count++];
        *u =
            (tw_topic_unit){.app = app, .config = &app->config->tables[i], .wake_fd = -1};
        int rc = open_topic(app, u, err);
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

int tw_app_start_topics(tw_app *app, tw_err *err)
{
    for (uint32_t i = 0; i < app->topic_count; i++) {
        tw_topic_unit *u = &app->topics[i];
        int rc = tw_guest_start(u->guest, err);
        if (rc < 0)
            return rc;
        u->started_ms = tw_mono_ms();
        tw_log_info("table", "judging waits until it has been read", "table",
                    u->config->name, "topic", u->config->topic, "at_most_ms",
                    TW_LOG_INT(u->config->wait_ms), NULL);
    }
    return TW_OK;
}

void tw_app_stop_topics(tw_app *app)
{
    for (uint32_t i = 0; i < app->topic_count; i++)
        tw_guest_stop(app->topics[i].guest);
}

bool tw_app_topics_are_stopped(const tw_app *app)
{
    for (uint32_t i = 0; i < app->topic_count; i++) {
        if (!app->topics[i].guest->stopped)
            return false;
    }
    return true;
}

void tw_app_free_topics(tw_app *app)
{
    for (uint32_t i = 0; i < app->topic_count; i++) {
        tw_topic_unit *u = &app->topics[i];
        tw_guest_free(u->guest);
        tw_topic_table_free(u->table);
        tw_live_rows_unref(u->live);
        tw_free(u->last_odd);
    }
    tw_free(app->topics);
}
