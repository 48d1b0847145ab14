// SPDX-License-Identifier: Apache-2.0
/* One lock, held while the host writes a line: lines of librdkafka are rare. */
#include "voice.h"

#include <stdbool.h>
#include <string.h>

#include "settings.h"

enum { LEVEL_WARNING = 4 }; /* of syslog */

void voice_init(voice *v, const tw_host *h)
{
    pthread_mutex_init(&v->lock, NULL);
    v->h = h;
}

void voice_done(voice *v)
{
    pthread_mutex_destroy(&v->lock);
}

static bool is_echo(const char *facility)
{
    return strcmp(facility, "FAIL") == 0 || strcmp(facility, "ERROR") == 0 ||
           strcmp(facility, "FATAL") == 0 || strcmp(facility, "AUTOCREATE") == 0;
}

void voice_say(voice *v, int level, const char *facility, const char *text)
{
    bool is_loud = level <= LEVEL_WARNING && !is_echo(facility);

    pthread_mutex_lock(&v->lock);
    if (v->h)
        kafka_log(v->h, is_loud ? TW_PLUGIN_WARN : TW_PLUGIN_DEBUG, "%s: %s", facility,
                  text);
    pthread_mutex_unlock(&v->lock);
}

void voice_mute(voice *v)
{
    pthread_mutex_lock(&v->lock);
    v->h = NULL;
    pthread_mutex_unlock(&v->lock);
}
