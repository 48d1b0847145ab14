// SPDX-License-Identifier: Apache-2.0
/* What a rule emits, as JSON text: straight from the signal into a buffer, since a lane may do it for
 * every event. Nothing but the buffers is allocated. One lane's thread. */
#ifndef TW_FLOW_EMIT_H
#define TW_FLOW_EMIT_H

#include "flow/context.h"
#include "flow/plan_emit.h"
#include "flow/signal.h"
#include "flow/table.h"

#define TW_MAX_LOOKUPS 16

/* Whether a signal becomes an event at all: not what is pending, nor the end of an occurrence. */
bool tw_emit_wants(const tw_signal *s);

/* What became of an event that was to be emitted. */
typedef enum tw_emit_outcome {
    TW_EMIT_WRITTEN,
    TW_EMIT_MISSED,    /* a look-up with miss = "drop" found nothing */
    TW_EMIT_TOO_LARGE, /* for out */
    TW_EMIT_THROTTLED, /* more than `throttle` lets out; said by whoever counts them */
    TW_EMIT_OUTCOMES
} tw_emit_outcome;

/* Appends the event to out, or leaves it as before. rows: by look-up of the rule, NULL where there is no
 * table; context: what is remembered, or NULL; scratch is written over. */
tw_emit_outcome tw_emit_write(const tw_signal *s, const tw_rows *const *rows,
                              const tw_context_port *context, tw_buf *scratch,
                              tw_buf *out);

#endif
