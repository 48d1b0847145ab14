// SPDX-License-Identifier: Apache-2.0
/* `emit = to "stream" { ... }` as the engine runs it: what an emitted event is made of, in the order
 * it is written. Names are paths, so a dotted one becomes an object within the event and is read again
 * under the same path; opening and closing steps stand between the fields. Immutable. */
#ifndef TW_FLOW_PLAN_EMIT_H
#define TW_FLOW_PLAN_EMIT_H

#include "flow/stream.h"
#include "flow/template.h"

#define TW_MAX_EMIT_FIELDS 64

typedef enum tw_emit_kind {
    TW_EMIT_OPEN,     /* an object begins */
    TW_EMIT_CLOSE,    /* and ends */
    TW_EMIT_LITERAL,  /* `literal` */
    TW_EMIT_TEMPLATE, /* `value`; nothing there: the field is left out */
    TW_EMIT_KEY,      /* the rule's key field `index` */
    TW_EMIT_LEVEL,    /* the level's name */
    TW_EMIT_TIME,     /* when it was decided, epoch milliseconds */
    TW_EMIT_ROW       /* the whole row of look-up `index` */
} tw_emit_kind;

typedef struct tw_emit_step {
    tw_emit_kind kind;
    char *name; /* `"name":`, escaped; NULL for CLOSE */
    uint32_t name_len;
    uint32_t index;
    char *literal; /* JSON */
    tw_template value;
} tw_emit_step;

typedef struct tw_emit_plan {
    tw_stream *stream;
    tw_emit_step *steps;
    uint32_t step_count;
    bool
        passes; /* the rule detects nothing: the event itself goes out, with the fields added */
    char **
        members; /* passes: top-level names that the fields take the place of, in quotes */
    uint32_t member_count;
    bool leaves;           /* a route of the configuration takes the stream */
    uint32_t throttle_max; /* 0: none */
    int64_t throttle_per_ms;
} tw_emit_plan;

void tw_emit_plan_free(tw_emit_plan *plan);

#endif
