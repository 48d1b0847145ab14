// SPDX-License-Identifier: Apache-2.0
/* The incident stage as bytes and back: what was told, what waits and since when. Rules are kept by
 * name. Shore thread only. */
#include <stdlib.h>
#include <string.h>

#include "alert/peers.h"
#include "alert/state_impl.h"
#include "base/mem.h"

#define FORMAT 4

/* ---- parts ------------------------------------------------------------------------- */

void tw_stage_put_text(tw_buf *out, const char *text)
{
    tw_state_put_u64(out, text != NULL);
    if (text)
        tw_state_put_bytes(out, text, strlen(text));
}

void tw_stage_put_json(tw_buf *out, const json_t *tree)
{
    char *text = tree ? json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    tw_stage_put_text(out, text);
    free(text); /* jansson's own allocator */
}

bool tw_stage_take_text(tw_stage_in *from, char **out)
{
    uint64_t is_there = 0;
    const void *data;
    size_t size;

    *out = NULL;
    if (!tw_state_take_u64(&from->in, &is_there))
        return false;
    if (!is_there)
        return true;
    if (!tw_state_take_bytes(&from->in, &data, &size))
        return false;
    *out = tw_strndup(data, size);
    return true;
}

bool tw_stage_take_json(tw_stage_in *from, json_t **out)
{
    char *text;

    *out = NULL;
    if (!tw_stage_take_text(from, &text))
        return false;
    *out = text ? json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
    bool good = !text || *out;
    tw_free(text);
    return good;
}

bool tw_stage_take_bool(tw_stage_in *from, bool *out)
{
    uint64_t v = 0;
    bool good = tw_state_take_u64(&from->in, &v) && v <= 1;

    *out = v == 1;
    return good;
}

bool tw_stage_take_level(tw_stage_in *from, tw_level *out)
{
    uint64_t v = 0;
    bool good = tw_state_take_u64(&from->in, &v) && v <= TW_LEVEL_UNKNOWN;

    *out = good ? (tw_level)v : TW_LEVEL_OK;
    return good;
}

static void rule_free(void *rule)
{
    tw_rule_unref(rule);
}

bool tw_stage_take_rule(tw_stage_in *from, tw_rule **out)
{
    char *name;

    *out = NULL;
    if (!tw_stage_take_text(from, &name) || !name)
        return false;
    *out = from->find.rule ? from->find.rule(from->find.self, name) : NULL;
    if (!*out)
        *out = tw_map_get(from->gone, name);
    if (!*out) {
        *out = tw_rule_new();
        (*out)->name = tw_strdup(name);
        (*out)->version = tw_strdup("");
        tw_map_put(from->gone, name, *out);
    }
    tw_free(name);
    return true;
}

/* ---- incidents --------------------------------------------------------------------- */

static void save_words(const tw_incident *inc, tw_buf *out)
{
    tw_stage_put_json(out, inc->labels);
    tw_stage_put_json(out, inc->values);
    tw_stage_put_json(out, inc->evidence);
    tw_stage_put_json(out, inc->enrich);
    tw_stage_put_json(out, inc->entities);
    tw_stage_put_text(out, inc->route);
    tw_stage_put_text(out, inc->title);
    tw_stage_put_text(out, inc->body);
    tw_stage_put_text(out, inc->acked_by);
    tw_stage_put_text(out, inc->told_as);
}

static bool load_words(tw_incident *inc, tw_stage_in *from)
{
    return tw_stage_take_json(from, &inc->labels) &&
           tw_stage_take_json(from, &inc->values) &&
           tw_stage_take_json(from, &inc->evidence) &&
           tw_stage_take_json(from, &inc->enrich) &&
           tw_stage_take_json(from, &inc->entities) &&
           tw_stage_take_text(from, &inc->route) &&
           tw_stage_take_text(from, &inc->title) &&
           tw_stage_take_text(from, &inc->body) &&
           tw_stage_take_text(from, &inc->acked_by) &&
           tw_stage_take_text(from, &inc->told_as) && inc->labels;
}

static void take_seats(tw_incident *inc)
{
    tw_peers_enter(inc);
    if (inc->marks & TW_MARK_INHIBITED)
        tw_peers_hold_back(inc);
}

static void save_levels(const tw_incident *inc, tw_buf *out)
{
    tw_state_put_u64(out, inc->level);
    tw_state_put_u64(out, inc->highest);
    tw_state_put_u64(out, inc->told);
    tw_state_put_u64(out, inc->peak);
    tw_state_put_u64(out, inc->announced);
    tw_state_put_u64(out, inc->flap_told);
    tw_state_put_u64(out, inc->again);
    tw_state_put_u64(out, inc->aged);
    tw_state_put_u64(out, inc->queued);
    tw_state_put_u64(out, inc->marks);
    tw_state_put_u64(out, inc->occurrences);
}

static bool load_levels(tw_incident *inc, tw_stage_in *from)
{
    uint32_t marks = 0;
    bool good =
        tw_stage_take_level(from, &inc->level) &&
        tw_stage_take_level(from, &inc->highest) &&
        tw_stage_take_level(from, &inc->told) && tw_stage_take_level(from, &inc->peak) &&
        tw_stage_take_bool(from, &inc->announced) &&
        tw_stage_take_bool(from, &inc->flap_told) &&
        tw_stage_take_bool(from, &inc->again) && tw_stage_take_bool(from, &inc->aged) &&
        tw_stage_take_bool(from, &inc->queued) && tw_state_take_u32(&from->in, &marks) &&
        tw_state_take_u64(&from->in, &inc->occurrences);

    inc->marks = marks;
    return good;
}

static void save_times(const tw_incident *inc, tw_buf *out)
{
    tw_state_put_i64(out, inc->resolve_ms);
    tw_state_put_i64(out, inc->calm_ms);
    tw_state_put_i64(out, inc->since_ms);
    tw_state_put_i64(out, inc->want_ms);
    tw_state_put_i64(out, inc->remind_ms);
    tw_state_put_i64(out, inc->muted_until_ms);
    tw_state_put_i64(out, inc->end.at_ms);
    tw_state_put_i64(out, inc->tell.at_ms);
}

static bool load_times(tw_incident *inc, tw_stage_in *from)
{
    int64_t end_ms = TW_WAIT_NEVER, tell_ms = TW_WAIT_NEVER;
    bool good = tw_state_take_i64(&from->in, &inc->resolve_ms) &&
                tw_state_take_i64(&from->in, &inc->calm_ms) &&
                tw_state_take_i64(&from->in, &inc->since_ms) &&
                tw_state_take_i64(&from->in, &inc->want_ms) &&
                tw_state_take_i64(&from->in, &inc->remind_ms) &&
                tw_state_take_i64(&from->in, &inc->muted_until_ms) &&
                tw_state_take_i64(&from->in, &end_ms) &&
                tw_state_take_i64(&from->in, &tell_ms);

    tw_wait_set(&inc->end, end_ms);
    tw_wait_set(&inc->tell, tell_ms);
    return good;
}

static void save_incident(const tw_incident *inc, tw_buf *out)
{
    tw_stage_put_text(out, inc->id);
    tw_stage_put_text(out, inc->rule->name);
    tw_state_put_i64(out, inc->opened_ms);
    tw_state_put_u64(out, inc->member_count);
    for (uint32_t i = 0; i < inc->member_count; i++) {
        tw_state_put_bytes(out, inc->members[i].name, inc->members[i].name_len);
        tw_state_put_u64(out, inc->members[i].level);
        tw_state_put_i64(out, inc->members[i].raised_ms);
    }
    save_words(inc, out);
    save_levels(inc, out);
    save_times(inc, out);
}

static bool load_members(tw_incident *inc, uint32_t count, tw_stage_in *from)
{
    for (uint32_t i = 0; i < count; i++) {
        const void *name;
        size_t size;
        tw_level level;
        int64_t raised_ms;
        if (!tw_state_take_bytes(&from->in, &name, &size) ||
            !tw_stage_take_level(from, &level) ||
            !tw_state_take_i64(&from->in, &raised_ms))
            return false;
        tw_member *m = tw_incident_add_member(inc, name, size);
        tw_incident_set_member(inc, m, level);
        m->raised_ms = raised_ms;
    }
    return count > 0;
}

static bool load_incident(tw_stage_in *from)
{
    tw_rule *rule = NULL;
    char *id = NULL;
    int64_t opened_ms = 0;
    uint32_t members = 0;
    bool good = tw_stage_take_text(from, &id) && id && tw_stage_take_rule(from, &rule) &&
                tw_state_take_i64(&from->in, &opened_ms) &&
                tw_state_take_u32(&from->in, &members) &&
                !tw_map_get(from->incidents->by_id, id);

    if (!good) {
        tw_free(id);
        return false;
    }
    tw_incident *inc = tw_incident_new(from->incidents, rule, id, opened_ms);
    good = load_members(inc, members, from) && load_words(inc, from) &&
           load_levels(inc, from) && load_times(inc, from);
    if (good)
        take_seats(inc);
    return good;
}

static bool load_incidents(tw_stage_in *from)
{
    uint64_t count = 0;
    bool good = tw_state_take_u64(&from->in, &count);

    for (uint64_t i = 0; good && i < count; i++)
        good = load_incident(from);
    return good;
}

/* ---- the whole --------------------------------------------------------------------- */

void tw_incidents_save(const tw_incidents *in, tw_buf *out)
{
    const char *id;
    void *value;

    tw_state_put_u64(out, FORMAT);
    tw_quiet_save(in, out);
    tw_flap_save(in, out);
    tw_state_put_u64(out, tw_map_count(in->by_id));
    for (size_t i = 0; tw_map_next(in->by_id, &i, &id, &value);)
        save_incident(value, out);
    tw_group_save(in, out);
    tw_storm_save(in, out);
    tw_aged_save(in, out);
}

/* What rules opened that are no more is over, and whoever was told of it hears so. Those that go on under
 * another name take it along. */
static void end_what_is_gone(tw_stage_in *from, int64_t now_ms)
{
    const char *name;
    void *rule;

    for (size_t i = 0; tw_map_next(from->gone, &i, &name, &rule);) {
        tw_rule *heir = from->find.heir ? from->find.heir(from->find.self, name) : NULL;
        if (heir)
            tw_incidents_rule_moved(from->incidents, rule, heir, "rule renamed", now_ms);
        else
            tw_incidents_rule_gone(from->incidents, rule, "rule removed", now_ms);
    }
}

int tw_incidents_load(tw_incidents *in, const void *data, size_t size,
                      tw_rule_finder find, int64_t now_ms, tw_err *err)
{
    tw_stage_in from = {.in = tw_state_in_of(data, size),
                        .incidents = in,
                        .find = find,
                        .gone = tw_map_new(rule_free)};
    uint64_t format = 0;
    bool good = tw_state_take_u64(&from.in, &format) && format == FORMAT &&
                tw_quiet_load(&from) && tw_flap_load(&from) && load_incidents(&from) &&
                tw_group_load(&from) && tw_storm_load(&from) && tw_aged_load(&from) &&
                from.in.at == from.in.end;

    if (good)
        end_what_is_gone(&from, now_ms);
    tw_map_free(from.gone);
    return good ? TW_OK
                : tw_err_set(err, TW_EPARSE, "the state of incidents cannot be read");
}
