// SPDX-License-Identifier: Apache-2.0
/* How the incident stage writes itself down: texts, trees and rules by name, over state/bytes.h. Each
 * stage has its pair of functions in its own file. Readers return false for bytes that save did not
 * write; then the whole stage is to be freed. Shore thread only. */
#ifndef TW_ALERT_STATE_IMPL_H
#define TW_ALERT_STATE_IMPL_H

#include "alert/incident_impl.h"
#include "state/bytes.h"

typedef struct tw_stage_in {
    tw_state_in in;
    tw_incidents *incidents;
    tw_rule_finder find;
    tw_map *gone; /* rules that are no more: name to a stand-in */
} tw_stage_in;

void tw_stage_put_text(tw_buf *out, const char *text); /* NULL is kept apart from "" */
void tw_stage_put_json(tw_buf *out, const json_t *tree);
bool tw_stage_take_text(tw_stage_in *from, char **out); /* tw_free */
bool tw_stage_take_json(tw_stage_in *from, json_t **out);
bool tw_stage_take_bool(tw_stage_in *from, bool *out);
bool tw_stage_take_level(tw_stage_in *from, tw_level *out);
/* The rule of that name as it is now; a stand-in when it is gone. Borrowed. */
bool tw_stage_take_rule(tw_stage_in *from, tw_rule **out);

void tw_quiet_save(const tw_incidents *in, tw_buf *out);
bool tw_quiet_load(tw_stage_in *from);
void tw_flap_save(const tw_incidents *in, tw_buf *out);
bool tw_flap_load(tw_stage_in *from);
void tw_group_save(const tw_incidents *in, tw_buf *out);
bool tw_group_load(tw_stage_in *from); /* after the incidents */
void tw_storm_save(const tw_incidents *in, tw_buf *out);
bool tw_storm_load(tw_stage_in *from);
void tw_aged_save(const tw_incidents *in, tw_buf *out);
bool tw_aged_load(tw_stage_in *from);

#endif
