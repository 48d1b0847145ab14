// SPDX-License-Identifier: Apache-2.0
/* What an instance says to the host's log from threads of librdkafka. A client that does not
 * close in time is left behind with its threads, which may speak when the host is gone:
 * before that the voice is muted. */
#ifndef KAFKA_VOICE_H
#define KAFKA_VOICE_H

#include <pthread.h>

#include "tidewatch.h"

typedef struct voice {
    pthread_mutex_t lock;
    const tw_host *h; /* NULL: muted */
} voice;

void voice_init(voice *v, const tw_host *h);
void voice_done(voice *v);
/* Any thread: one of librdkafka's lines. Those that repeat what its error callback says are
 * for debugging only, and so is AUTOCREATE, said with each question to an old broker. */
void voice_say(voice *v, int level, const char *facility, const char *text);
/* Nobody speaks any more when it returns. */
void voice_mute(voice *v);

#endif
