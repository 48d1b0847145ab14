// SPDX-License-Identifier: Apache-2.0
/* The app's upper end: source instances and their feeds. Shore thread; lanes are touched only through the
 * engine's pause. */
#include <stdlib.h>
#include <string.h>

#include "app_impl.h"
#include "base/log.h"
#include "base/mem.h"

/* ---- feeds ------------------------------------------------------------------------- */

static const tw_config_stream *stream_of_topic(const tw_app *app, uint32_t source,
                                               const char *topic, uint32_t *out_number)
{
    uint32_t number = 0;

    for (uint32_t i = 0; i < app->config->stream_count; i++) {
        const tw_config_stream *s = &app->config->streams[i];
        for (uint32_t k = 0; k < s->topic_count; k++, number++) {
            if (s->source == source && strcmp(s->topics[k], topic) == 0) {
                *out_number = number;
                return s;
            }
        }
    }
    return NULL;
}

static tw_source_unit *unit_of(tw_app *app, const tw_guest *g)
{
    for (uint32_t i = 0; i < app->config->source_count; i++) {
        if (app->sources[i].guest == g)
            return &app->sources[i];
    }
    return NULL;
}

static void begin_feeds(void *arg)
{
    tw_app *app = arg;

    app->feeds_rest = false;
    tw_engine_feeds_begin(app->engine);
}

/* A source gives all it is assigned at once, and is behind it when the loop comes to what is posted. */
static void let_rest(tw_app *app, tw_feed_state *feed)
{
    feed->rests = true;
    if (!app->feeds_rest)
        tw_loop_post(app->loop, begin_feeds, app);
    app->feeds_rest = true;
}

int tw_app_feed_add(void *self, tw_guest *g, tw_feed *feed, const char *topic,
                    int32_t partition)
{
    tw_app *app = self;
    tw_source_unit *unit = unit_of(app, g);
    uint32_t number = 0;
    const tw_config_stream *s = stream_of_topic(app, unit->number, topic, &number);

    if (!s || app->phase > TW_APP_RUNNING) {
        tw_log_error(g->name, "a feed of a topic that no stream reads", "topic", topic,
                     NULL);
        return TW_ENOTFOUND;
    }
    tw_feed_state *state = tw_alloc(sizeof *state);
    *state = (tw_feed_state){.feed = feed,
                             .type = g->source,
                             .instance = g->instance,
                             .stream = tw_streams_find(app->streams, s->name),
                             .source = number,
                             .partition = partition,
                             .topic = tw_strdup(topic)};
    feed->host_data = state;
    unit->feeds++;
    let_rest(app, state);
    tw_engine_feed_add(app->engine, state);
    tw_log_info(g->name, "feed taken", "topic", topic, "partition", TW_LOG_INT(partition),
                "lane", TW_LOG_INT(state->lane->number), NULL);
    return TW_OK;
}

int tw_app_feed_remove(void *self, tw_guest *g, tw_feed *feed, bool lost,
                       int64_t *out_next)
{
    tw_app *app = self;
    tw_feed_state *state = feed->host_data;
    tw_source_unit *unit = unit_of(app, g);

    if (!state)
        return TW_ESTATE;
    tw_engine_feed_remove(app->engine, state, out_next);
    unit->feeds--;
    unit->ended -= state->at_end ? 1 : 0;
    tw_log_info(g->name, lost ? "feed lost" : "feed given back", "topic", state->topic,
                "partition", TW_LOG_INT(state->partition), "next_offset",
                TW_LOG_INT(*out_next), NULL);
    feed->host_data = NULL;
    tw_free(state->topic);
    tw_free(state);
    return TW_OK;
}

int tw_app_feed_wake_fd(void *self, const tw_feed *feed)
{
    const tw_feed_state *state = feed->host_data;
    (void)self;
    return state && state->lane ? tw_wake_fd(state->lane->wake) : -1;
}

static bool all_ended(const tw_app *app)
{
    for (uint32_t i = 0; i < app->config->source_count; i++) {
        if (!app->sources[i].guest)
            continue;
        if (app->sources[i].feeds == 0 || app->sources[i].ended < app->sources[i].feeds)
            return false;
    }
    return true;
}

static bool is_dash(const json_t *value)
{
    return json_is_string(value) && strcmp(json_string_value(value), "-") == 0;
}

static bool reads_standard_input(const tw_config *c, uint32_t source)
{
    const json_t *settings = c->sources[source].settings;
    json_t *path = json_object_get(settings, "path");
    json_t *paths = json_object_get(settings, "paths"), *one;
    const char *topic;

    json_object_foreach(paths, topic, one)
    {
        if (is_dash(one))
            return true;
    }
    for (uint32_t i = 0; !path && !paths && i < c->stream_count; i++)
        for (uint32_t k = 0; k < c->streams[i].topic_count; k++)
            if (c->streams[i].source == source &&
                strcmp(c->streams[i].topics[k], "-") == 0)
                return true;
    return is_dash(path);
}

/* What has come to its end stays there, as nobody said that it goes on. */
static bool is_over_at_end(const tw_config_source *source)
{
    return strcmp(source->kind, "file") == 0 &&
           !json_is_true(json_object_get(source->settings, "follow"));
}

/* Standard input has ended, and nothing else can bring anything: a filter is done then. */
static bool has_ended_for_good(const tw_app *app)
{
    const tw_config *c = app->config;
    bool has_stdin = false;

    for (uint32_t i = 0; i < c->source_count; i++) {
        if (!is_over_at_end(&c->sources[i]))
            return false;
        has_stdin = has_stdin || reads_standard_input(c, i);
    }
    return has_stdin && all_ended(app);
}

void tw_app_feed_end(void *self, tw_guest *g, tw_feed *feed)
{
    tw_app *app = self;
    tw_feed_state *state = feed->host_data;

    if (!state || state->at_end)
        return;
    state->at_end = true;
    unit_of(app, g)->ended++;
    if (app->options.exit_at_end && all_ended(app)) {
        tw_log_info("app", "every feed has reached its end", NULL);
        tw_app_stop(app);
    } else if (has_ended_for_good(app)) {
        tw_log_info("app", "standard input has ended, and nothing else is left to read",
                    NULL);
        tw_app_stop(app);
    }
}

/* ---- positions --------------------------------------------------------------------- */

static void report_position(void *self, tw_feed_state *feed)
{
    (void)self;
    if (feed->next_offset < 0 || feed->next_offset == feed->reported_offset)
        return;
    feed->reported_offset = feed->next_offset;
    feed->type->handled(feed->instance, feed->feed, feed->next_offset);
}

void tw_app_report_positions(tw_app *app)
{
    tw_engine_positions(app->engine, report_position, app);
}

/* ---- life -------------------------------------------------------------------------- */

static const char **topics_of(const tw_app *app, uint32_t source, size_t *out_count)
{
    const char **topics = NULL;
    size_t count = 0;

    for (uint32_t i = 0; i < app->config->stream_count; i++) {
        const tw_config_stream *s = &app->config->streams[i];
        for (uint32_t k = 0; s->source == source && k < s->topic_count; k++) {
            topics = tw_realloc(topics, (count + 1) * sizeof *topics);
            topics[count++] = s->topics[k];
        }
    }
    *out_count = count;
    return topics;
}

static int open_source(tw_app *app, tw_source_unit *unit, tw_err *err)
{
    const tw_config_source *c = unit->config;
    const tw_source_type *type = tw_plugins_source(app->plugins, c->kind, err);
    size_t topic_count;

    if (!type)
        return TW_ENOTFOUND;
    const char **topics = topics_of(app, unit->number, &topic_count);
    if (!topic_count && tw_app_is_topic(app->config, unit->number)) {
        tw_free(topics);
        return TW_OK; /* only tables read it */
    }
    char *settings = json_dumps(c->settings, JSON_COMPACT);
    unit->guest =
        tw_guest_new(&app->house, c->name, type, NULL, settings, app->config->state_dir);
    free(settings);
    int rc = tw_guest_open(unit->guest, topics, topic_count, err);
    tw_free(topics);
    return rc;
}

int tw_app_open_sources(tw_app *app, tw_err *err)
{
    app->sources = tw_calloc(app->config->source_count + 1, sizeof *app->sources);
    for (uint32_t i = 0; i < app->config->source_count; i++) {
        app->sources[i].config = &app->config->sources[i];
        app->sources[i].number = i;
        int rc = open_source(app, &app->sources[i], err);
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

int tw_app_start_sources(tw_app *app, tw_err *err)
{
    tw_engine_sources_begin(app->engine);
    for (uint32_t i = 0; i < app->config->source_count; i++) {
        int rc =
            app->sources[i].guest ? tw_guest_start(app->sources[i].guest, err) : TW_OK;
        if (rc < 0)
            return rc;
    }
    return TW_OK;
}

void tw_app_stop_sources(tw_app *app)
{
    for (uint32_t i = 0; i < app->config->source_count; i++) {
        if (app->sources[i].guest)
            tw_guest_stop(app->sources[i].guest);
    }
}

bool tw_app_sources_are_stopped(const tw_app *app)
{
    for (uint32_t i = 0; i < app->config->source_count; i++) {
        if (app->sources[i].guest && !app->sources[i].guest->stopped)
            return false;
    }
    return true;
}

void tw_app_free_sources(tw_app *app)
{
    for (uint32_t i = 0; app->sources && i < app->config->source_count; i++)
        tw_guest_free(app->sources[i].guest);
    tw_free(app->sources);
    app->sources = NULL;
}
