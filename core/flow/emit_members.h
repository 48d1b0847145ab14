// SPDX-License-Identifier: Apache-2.0
/* The members of an event that goes out as it came, but for those that fields take the place of. */
#ifndef TW_FLOW_EMIT_MEMBERS_H
#define TW_FLOW_EMIT_MEMBERS_H

#include "flow/event.h"
#include "flow/plan_emit.h"

/* Appends them, on one line and without the braces. */
void tw_emit_members(const tw_event *ev, const tw_emit_plan *plan, tw_buf *out);

#endif
