// SPDX-License-Identifier: Apache-2.0
/* Storms as bytes and back; those they stand for are named by id. Shore thread only. */
#include "alert/state_impl.h"
#include "alert/storm_impl.h"
#include "base/mem.h"

static void save(const tw_storm *s, tw_buf *out)
{
    tw_stage_put_text(out, s->id);
    tw_stage_put_text(out, s->rule->name);
    tw_stage_put_json(out, s->labels);
    tw_stage_put_text(out, s->told_as);
    tw_stage_put_text(out, s->route);
    tw_stage_put_json(out, s->names);
    tw_state_put_u64(out, s->count);
    tw_state_put_u64(out, s->came);
    tw_state_put_u64(out, s->said);
    tw_state_put_u64(out, s->all);
    tw_state_put_u64(out, s->level);
    tw_state_put_u64(out, s->told_level);
    tw_state_put_i64(out, s->opened_ms);
    tw_state_put_i64(out, s->told_ms);
    tw_state_put_i64(out, s->tell_ms);
    tw_state_put_i64(out, s->period_ms);
    tw_state_put_i64(out, s->due.at_ms);
    tw_state_put_u64(out, s->open);
    for (const tw_incident *inc = s->oldest; inc; inc = inc->storm_next)
        tw_stage_put_text(out, inc->id);
}

void tw_storm_save(const tw_incidents *in, tw_buf *out)
{
    const char *id;
    void *value;

    tw_state_put_u64(out, tw_map_count(in->storms));
    for (size_t i = 0; tw_map_next(in->storms, &i, &id, &value);)
        save(value, out);
}

static bool load_members(tw_storm *s, tw_stage_in *from)
{
    uint64_t count = 0;
    bool good = tw_state_take_u64(&from->in, &count) &&
                (count > 0 || s->period_ms != TW_WAIT_NEVER);

    for (uint64_t i = 0; good && i < count; i++) {
        char *id;
        good = tw_stage_take_text(from, &id) && id;
        tw_incident *inc = good ? tw_map_get(from->incidents->by_id, id) : NULL;
        tw_free(id);
        good = inc && !inc->storm;
        if (good)
            tw_storm_link(s, inc);
    }
    return good;
}

static bool load_rest(tw_storm *s, tw_stage_in *from)
{
    int64_t due_ms = TW_WAIT_NEVER;

    json_decref(s->names);
    s->names = NULL;
    bool good =
        tw_stage_take_text(from, &s->told_as) && tw_stage_take_text(from, &s->route) &&
        s->route && tw_stage_take_json(from, &s->names) && json_is_array(s->names) &&
        tw_state_take_u32(&from->in, &s->count) &&
        tw_state_take_u64(&from->in, &s->came) &&
        tw_state_take_u64(&from->in, &s->said) && tw_state_take_u64(&from->in, &s->all) &&
        tw_stage_take_level(from, &s->level) &&
        tw_stage_take_level(from, &s->told_level) &&
        tw_state_take_i64(&from->in, &s->opened_ms) &&
        tw_state_take_i64(&from->in, &s->told_ms) &&
        tw_state_take_i64(&from->in, &s->tell_ms) &&
        tw_state_take_i64(&from->in, &s->period_ms) &&
        tw_state_take_i64(&from->in, &due_ms) && load_members(s, from);

    tw_wait_set(&s->due, good ? due_ms : TW_WAIT_NEVER);
    return good;
}

static bool load_one(tw_stage_in *from)
{
    tw_rule *rule = NULL;
    json_t *labels = NULL;
    char *id = NULL;

    if (!tw_stage_take_text(from, &id) || !id ||
        tw_map_get(from->incidents->storms, id) || !tw_stage_take_rule(from, &rule) ||
        !tw_stage_take_json(from, &labels) || !json_is_object(labels)) {
        json_decref(labels);
        tw_free(id);
        return false;
    }
    return load_rest(tw_storm_new(from->incidents, rule, labels, id), from);
}

bool tw_storm_load(tw_stage_in *from)
{
    uint64_t count = 0;
    bool good = tw_state_take_u64(&from->in, &count);

    for (uint64_t i = 0; good && i < count; i++)
        good = load_one(from);
    return good;
}
