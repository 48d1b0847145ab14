// SPDX-License-Identifier: Apache-2.0
/* A signal as bytes and back, for those that wait when the engine writes itself down. What it says of fields, roles and
 * facts is kept by name, so it can be read for an edited rule: what that does not ask for is left out, and what it
 * asks for anew is absent. Shore thread. */
#ifndef TW_SIGNAL_STATE_H
#define TW_SIGNAL_STATE_H

#include "alert/incident.h"
#include "flow/signal.h"
#include "state/bytes.h"

void tw_signal_save(const tw_signal *s, tw_buf *out);
/* *out: a copy of the caller's; NULL when its rule is gone, or has another key. False: the bytes are not what save
 * wrote. */
bool tw_signal_load(tw_state_in *in, tw_rule_finder find, tw_signal **out);

#endif
