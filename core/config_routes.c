// SPDX-License-Identifier: Apache-2.0
/* Routes: from the name that a rule gives to the sinks that take its alerts. Read on the shore,
 * immutable afterwards. Invariant: a route has at least one sink, so an alert that finds a route is
 * delivered somewhere. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "config_impl.h"

#define STREAM_PREFIX "stream:"

static int64_t find_sink(const tw_config *config, const json_t *node, const char *who,
                         tw_err *err)
{
    const char *sink = json_string_value(node);
    const char **names = tw_calloc(config->sink_count + 1, sizeof *names);
    int64_t number = TW_ENOTFOUND;

    for (uint32_t i = 0; i < config->sink_count; i++) {
        names[i] = config->sinks[i].name;
        if (strcmp(sink, names[i]) == 0)
            number = i;
    }
    if (number < 0) {
        const char *nearest = tw_nearest(sink, names, config->sink_count);
        number = tw_config_fail(config, node, err,
                                "%s names sink '%s', which does not exist%s%s%s", who,
                                sink, nearest ? " (did you mean '" : "",
                                nearest ? nearest : "", nearest ? "'?)" : "");
    }
    tw_free(names);
    return number;
}

static int check_pattern(const tw_config *config, const json_t *map, const char *pattern,
                         tw_err *err)
{
    const char *star = strchr(pattern, '*');

    if (!*pattern)
        return tw_config_fail_key(config, map, pattern, err, "a route without a name");
    if (star && star[1])
        return tw_config_fail_key(config, map, pattern, err,
                                  "route '%s': a * stands at the end only", pattern);
    for (const char *p = pattern; *p; p++) {
        if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p))
            return tw_config_fail_key(config, map, pattern, err,
                                      "the name of route '%s' has a blank in it",
                                      pattern);
    }
    return TW_OK;
}

static bool has_sink(const tw_config_route *r, uint32_t sink)
{
    for (uint32_t i = 0; i < r->sink_count; i++) {
        if (r->sinks[i] == sink)
            return true;
    }
    return false;
}

static int read_route(tw_config *config, const json_t *map, const char *pattern,
                      const json_t *sinks, tw_err *err)
{
    tw_config_route *r = &config->routes[config->route_count++];
    int rc = check_pattern(config, map, pattern, err);

    r->pattern = tw_strdup(pattern);
    if (rc < 0)
        return rc;
    if (!json_array_size(sinks))
        return tw_config_fail_key(config, map, pattern, err,
                                  "route '%s' has no sinks: its alerts would be lost",
                                  pattern);
    char *who = tw_asprintf("route '%s'", pattern);
    r->sinks = tw_calloc(json_array_size(sinks), sizeof *r->sinks);
    for (size_t i = 0; rc == TW_OK && i < json_array_size(sinks); i++) {
        const json_t *node = json_array_get(sinks, i);
        int64_t number = find_sink(config, node, who, err);
        if (number < 0)
            rc = (int)number;
        else if (has_sink(r, (uint32_t)number))
            rc = tw_config_fail(config, node, err, "%s names sink '%s' twice", who,
                                json_string_value(node));
        else
            r->sinks[r->sink_count++] = (uint32_t)number;
    }
    tw_free(who);
    return rc;
}

int tw_config_read_routes(tw_config *config, tw_err *err)
{
    json_t *root = tw_conf_root(config->document), *sinks;
    json_t *map = json_object_get(root, "routes");
    const json_t *dead_letters = json_object_get(root, "dead_letters");
    const char *pattern;

    config->routes = tw_calloc(json_object_size(map) + 1, sizeof *config->routes);
    json_object_foreach(map, pattern, sinks)
    {
        int rc = read_route(config, map, pattern, sinks, err);
        if (rc < 0)
            return rc;
    }
    config->dead_letter_sink = -1;
    if (!dead_letters)
        return TW_OK;
    int64_t number =
        find_sink(config, json_object_get(dead_letters, "sink"), "'dead_letters'", err);
    if (number < 0)
        return (int)number;
    config->dead_letter_sink = (int32_t)number;
    return TW_OK;
}

/* ---- use --------------------------------------------------------------------------- */

/* How well a pattern fits: an exact name best, then the longest prefix; -1 not at all. */
static int64_t fit(const char *pattern, const char *route)
{
    size_t n = strlen(pattern);

    if (strcmp(pattern, route) == 0)
        return INT64_MAX;
    if (pattern[n - 1] == '*' && strncmp(pattern, route, n - 1) == 0)
        return (int64_t)n;
    return strcmp(pattern, "default") == 0 ? 0 : -1;
}

static bool is_for_streams(const char *pattern)
{
    return strncmp(pattern, STREAM_PREFIX, sizeof STREAM_PREFIX - 1) == 0;
}

const tw_config_route *tw_config_stream_route(const tw_config *config, const char *stream)
{
    const tw_config_route *best = NULL;
    int64_t best_fit = -1;
    char *name = tw_asprintf(STREAM_PREFIX "%s", stream);

    for (uint32_t i = 0; i < config->route_count; i++) {
        const char *pattern = config->routes[i].pattern;
        int64_t f = is_for_streams(pattern) ? fit(pattern, name) : -1;
        if (f > best_fit) {
            best = &config->routes[i];
            best_fit = f;
        }
    }
    tw_free(name);
    return best;
}

const tw_config_route *tw_config_route_of(const tw_config *config, const char *route)
{
    const tw_config_route *best = NULL;
    int64_t best_fit = -1;

    for (uint32_t i = 0; i < config->route_count; i++) {
        const char *pattern = config->routes[i].pattern;
        int64_t f = is_for_streams(pattern) ? -1 : fit(pattern, route ? route : "");
        if (f > best_fit) {
            best = &config->routes[i];
            best_fit = f;
        }
    }
    return best;
}
