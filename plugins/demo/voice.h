// SPDX-License-Identifier: Apache-2.0
/* How the demo speaks on the terminal: a line for what happens in the shop, a few for an alert, each with
 * the time since the story began, no wider than the terminal. Shore. */
#ifndef DEMO_VOICE_H
#define DEMO_VOICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tidewatch.h"

typedef struct voice {
    FILE *out;
    int width;
    bool colours;
} voice;

/* setting: always, never, or auto: on a terminal, unless NO_COLOR is set. */
void voice_init(voice *v, const char *setting);
/* The story begins now, for every voice. */
void voice_begin(int64_t now_ms);
/* A heading. */
void voice_part(const voice *v, const char *text);
void voice_happened(const voice *v, int64_t now_ms, const char *topic, const char *text);
void voice_told(const voice *v, int64_t now_ms, const tw_record *r);

#endif
