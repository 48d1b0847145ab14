// SPDX-License-Identifier: Apache-2.0
/* Reads librdkafka's statistics: the only word on whether brokers are connected, and the
 * ends of the logs without a query. Shore, once a second. */
#include "stats.h"

#include "source.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

static int count_brokers_up(const json_t *brokers)
{
    const char *name;
    json_t *broker;
    int count = 0;

    json_object_foreach((json_t *)brokers, name, broker)
    {
        const char *state = json_string_value(json_object_get(broker, "state"));
        const char *origin = json_string_value(json_object_get(broker, "source"));

        /* A logical one is a second connection to the group's coordinator. */
        if (state && strcmp(state, "UP") == 0)
            count += !origin || strcmp(origin, "logical") != 0;
    }
    return count;
}

/* Records of the log that the lane has not been given yet. The last stable offset is the
 * end for a reader of committed records. */
static int64_t feed_lag(const feed *f, const json_t *topics)
{
    char partition[16];
    const json_t *p;
    int64_t end;

    snprintf(partition, sizeof partition, "%d", (int)f->partition);
    p = json_object_get(json_object_get(json_object_get(topics, f->topic), "partitions"),
                        partition);
    if (!p)
        return 0;
    end = json_integer_value(json_object_get(p, "ls_offset"));
    return end > f->next ? end - f->next : 0;
}

int stats_brokers_up(const char *json, size_t size)
{
    json_t *all = json_loadb(json, size, 0, NULL);
    int count = count_brokers_up(json_object_get(all, "brokers"));

    json_decref(all);
    return count;
}

/* That none is left is heard sooner and with a reason as an error; only when that does not
 * come is it concluded from here. */
static void note_brokers(source *s, int count)
{
    s->silent_stats = count == 0 ? s->silent_stats + 1 : 0;
    if (count > 0)
        s->broker_error[0] = '\0';
    if (count > 0 || s->silent_stats > 2)
        s->brokers_up = count;
    s->h->set(s->brokers, count);
}

int stats_on_emitted(rd_kafka_t *rk, char *json, size_t size, void *opaque)
{
    source *s = opaque;
    json_t *all = json_loadb(json, size, 0, NULL);
    const json_t *topics = json_object_get(all, "topics");
    int64_t lag = 0, count = 0;

    (void)rk;
    if (!all)
        return 0;
    note_brokers(s, count_brokers_up(json_object_get(all, "brokers")));
    for (const feed *f = s->feeds; f; f = f->next_feed, count++)
        lag += feed_lag(f, topics);
    s->h->set(s->lag, lag);
    s->h->set(s->partitions, count);
    json_decref(all);
    source_tell_trouble(s);
    return 0; /* librdkafka frees the text */
}
