// SPDX-License-Identifier: Apache-2.0
/* What a rule emits, as JSON text: straight from the signal into a buffer, since a lane may do it for
 * every event. Nothing but the buffers is allocated. One lane's thread. */
#ifndef TW_FLOW_EMIT_H
#define TW_FLOW_EMIT_H

#include "flow/plan_emit.h"
#include "flow/signal.h"
#include "flow/table.h"

#define TW_MAX_LOOKUPS 16

/* Whether a signal becomes an event at all: not what is pending, nor the end of an occurrence. */
bool tw_emit_wants(const tw_signal *s);

/* Appends the event to out. rows: by look-up of the rule, NULL where there is no table; scratch is
 * written over. False, and out as before: a look-up with miss = "drop" found nothing, or the event
 * is too large for out. */
bool tw_emit_write(const tw_signal *s, const tw_rows *const *rows, tw_buf *scratch,
                   tw_buf *out);

#endif
