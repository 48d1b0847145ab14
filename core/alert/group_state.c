// SPDX-License-Identifier: Apache-2.0
/* Groups as bytes and back; their members are named by id. Shore thread only. */
#include "alert/group_impl.h"
#include "alert/state_impl.h"
#include "base/mem.h"

static void save(const tw_group *g, tw_buf *out)
{
    tw_stage_put_text(out, g->key);
    tw_stage_put_text(out, g->name);
    tw_stage_put_text(out, g->rule->name);
    tw_stage_put_text(out, g->told_as);
    tw_stage_put_text(out, g->route);
    tw_stage_put_json(out, g->labels);
    tw_stage_put_json(out, g->resolved);
    tw_state_put_u64(out, g->highest);
    tw_state_put_u64(out, g->announced);
    tw_state_put_u64(out, g->changed);
    tw_state_put_i64(out, g->opened_ms);
    tw_state_put_i64(out, g->first_ms);
    tw_state_put_i64(out, g->wait_until_ms);
    tw_state_put_i64(out, g->remind_ms);
    tw_state_put_i64(out, g->due.at_ms);
    tw_state_put_u64(out, g->count);
    uint32_t i = 0;
    for (const tw_incident *inc; (inc = tw_group_next(g, &i));)
        tw_stage_put_text(out, inc->id);
}

void tw_group_save(const tw_incidents *in, tw_buf *out)
{
    const char *key;
    void *value;

    tw_state_put_u64(out, tw_map_count(in->groups));
    for (size_t i = 0; tw_map_next(in->groups, &i, &key, &value);)
        save(value, out);
}

static bool load_members(tw_group *g, tw_stage_in *from)
{
    uint32_t count = 0;
    bool good = tw_state_take_u32(&from->in, &count) && count > 0;

    for (uint32_t i = 0; good && i < count; i++) {
        char *id;
        good = tw_stage_take_text(from, &id) && id;
        tw_incident *inc = good ? tw_map_get(from->incidents->by_id, id) : NULL;
        tw_free(id);
        good = inc && !inc->group;
        if (good)
            tw_group_add(g, inc);
    }
    return good;
}

static bool load_rest(tw_group *g, tw_stage_in *from)
{
    int64_t due_ms = TW_WAIT_NEVER;
    bool good = tw_stage_take_text(from, &g->told_as) &&
                tw_stage_take_text(from, &g->route) && g->route &&
                tw_stage_take_json(from, &g->labels) && g->labels &&
                tw_stage_take_json(from, &g->resolved) && json_is_array(g->resolved) &&
                tw_stage_take_level(from, &g->highest) &&
                tw_stage_take_bool(from, &g->announced) &&
                tw_stage_take_bool(from, &g->changed) &&
                tw_state_take_i64(&from->in, &g->opened_ms) &&
                tw_state_take_i64(&from->in, &g->first_ms) &&
                tw_state_take_i64(&from->in, &g->wait_until_ms) &&
                tw_state_take_i64(&from->in, &g->remind_ms) &&
                tw_state_take_i64(&from->in, &due_ms) && load_members(g, from);

    tw_wait_set(&g->due, good ? due_ms : TW_WAIT_NEVER);
    return good;
}

bool tw_group_load(tw_stage_in *from)
{
    uint64_t count = 0;
    bool good = tw_state_take_u64(&from->in, &count);

    for (uint64_t i = 0; good && i < count; i++) {
        char *key = NULL, *name = NULL;
        tw_rule *rule = NULL;
        good = tw_stage_take_text(from, &key) && tw_stage_take_text(from, &name) &&
               tw_stage_take_rule(from, &rule) && key && name &&
               !tw_map_get(from->incidents->groups, key);
        if (good) {
            good = load_rest(tw_group_new(from->incidents, rule, name, key), from);
        } else {
            tw_free(key);
            tw_free(name);
        }
    }
    return good;
}
