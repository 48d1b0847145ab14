// SPDX-License-Identifier: Apache-2.0
/* What a request is answered with: paths, methods and who may ask. Knows no connection and no loop,
 * so that it is the same for any server in front. Shore thread. */
#ifndef TW_CONTROL_ANSWER_H
#define TW_CONTROL_ANSWER_H

#include "control/control.h"

/* A request as its server has read it. Everything is borrowed. */
typedef struct tw_ask {
    const char *method, *path;
    const char *authorization, *host, *origin; /* headers, or NULL */
    const char *body;
    size_t body_size;
} tw_ask;

typedef struct tw_told {
    int status;
    const char *content_type;
    const char *allow; /* header of a 405, else NULL */
    char *text;        /* tw_free */
    size_t size;
} tw_told;

tw_told tw_control_answer(const tw_control_options *options, const tw_ask *ask);
/* {"error": ...} with a status, for what the server refuses by itself. */
tw_told tw_control_refuse(int status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
