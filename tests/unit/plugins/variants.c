// SPDX-License-Identifier: Apache-2.0
/* One plugin in many variants, each built with one definition (CMakeLists.txt); only GOOD and NEWER
 * may load. Nothing in them does anything. */
#include <stddef.h>

#include "tidewatch.h"

static void *open_source(const tw_host *h, const char *const *topics, size_t count,
                         tw_refusal *refusal)
{
    (void)h;
    (void)topics;
    (void)count;
    (void)refusal;
    return NULL;
}

static void *open_sink(const tw_host *h, tw_refusal *refusal)
{
    (void)h;
    (void)refusal;
    return NULL;
}

static int start(void *instance, tw_refusal *refusal)
{
    (void)instance;
    (void)refusal;
    return 0;
}

static void end(void *instance)
{
    (void)instance;
}

static void handled(void *instance, tw_feed *feed, int64_t next_offset)
{
    (void)instance;
    (void)feed;
    (void)next_offset;
}

#ifndef NO_POLL
static int poll_frames(tw_feed *feed, tw_frame *frames, int max)
{
    (void)feed;
    (void)frames;
    (void)max;
    return 0;
}
#endif

static void release(tw_feed *feed, tw_frame *frames, int count)
{
    (void)feed;
    (void)frames;
    (void)count;
}

#ifndef NO_DELIVER
static void deliver(void *instance, tw_delivery *delivery)
{
    (void)instance;
    (void)delivery;
}
#endif

static const tw_source_type source = {
    .size = sizeof(tw_source_type),
#ifdef GOOD
    .kind = "brook",
#else
    .kind = "river",
#endif
    .open = open_source,
    .start = start,
    .stop = end,
    .close = end,
    .handled = handled,
#ifndef NO_POLL
    .poll = poll_frames,
#endif
    .release = release,
};

static const tw_sink_type sink = {
#ifdef SMALL_SINK
    .size = sizeof(tw_sink_type) - sizeof(void *),
#else
    .size = sizeof(tw_sink_type),
#endif
#ifdef BAD_KIND
    .kind = "Bad Kind",
#elif defined GOOD || defined TAKEN
    .kind = "bucket",
#else
    .kind = "barrel",
#endif
#ifdef BAD_SETTINGS
    .settings = "{\"type\": ",
#else
    .settings = "{\"type\": \"object\"}",
#endif
    .max_batch = 1,
    .open = open_sink,
    .start = start,
#ifndef NO_DELIVER
    .deliver = deliver,
#endif
    .stop = end,
    .close = end,
};

#ifdef EMPTY
#define SOURCE_1 NULL
#define SINK_1 NULL
#else
#define SOURCE_1 &source
#define SINK_1 &sink
#endif
/* The third place keeps the types in use where the first is empty. */
static const tw_source_type *const sources[] = {SOURCE_1, NULL, &source};
static const tw_sink_type *const sinks[] = {SINK_1, NULL, &sink};

typedef struct newer_plugin {
    tw_plugin today;
    void *added;
} newer_plugin;

#ifdef NO_DESCRIPTOR
#define tw_plugin_descriptor some_other_symbol
#endif
extern const newer_plugin tw_plugin_descriptor;
TW_PLUGIN_EXPORT const newer_plugin tw_plugin_descriptor = {
    .today =
        {
#ifdef OTHER_ABI
            .abi = TW_PLUGIN_ABI + 1,
#else
            .abi = TW_PLUGIN_ABI,
#endif
#ifdef SMALL_DESCRIPTOR
            .size = 8,
#elif defined NEWER
            .size = sizeof(newer_plugin),
#else
            .size = sizeof(tw_plugin),
#endif
#ifndef NO_NAME
            .name = "variants",
#endif
#ifndef NO_VERSION
            .version = "1.2.3",
#endif
            .sources = sources,
            .sinks = sinks,
        },
};
