// SPDX-License-Identifier: Apache-2.0
/* What a lane knows as bytes, and back: partition clocks, clocks of rules, events that wait for their turn, and the
 * state of every detector. On the shore while the lane stands still. Waiting events are written as their own
 * text and decoded anew, so that they can be read by whatever rules come after. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "detect/dedup.h"
#include "detect/raised.h"
#include "detect/throttle.h"
#include "engine.h"
#include "lane_emit.h"
#include "lane_rules.h"
#include "park.h"

#define MAX_STATE_BYTES ((size_t)1 << 32)

static void put_text(tw_buf *out, const char *text)
{
    tw_state_put_bytes(out, text ? text : "", text ? strlen(text) : 0);
}

/* Borrowed bytes as a text of the caller. */
static bool take_text(tw_state_in *in, char *out, size_t room)
{
    const void *text;
    size_t size;

    if (!tw_state_take_bytes(in, &text, &size) || size >= room)
        return false;
    memcpy(out, text, size);
    out[size] = '\0';
    return true;
}

/* ---- partition clocks -------------------------------------------------------------- */

/* A track by what it is, since its number is of this process. */
static const char *track_path(const tw_lane *lane, uint32_t number)
{
    const tw_track *t = tw_engine_track(lane->engine, number);
    const tw_stream *stream = tw_streams_at(tw_engine_streams(lane->engine), t->stream);

    return t->time_slot == TW_SLOT_TIME
               ? ""
               : tw_fields_at(stream->fields, t->time_slot)->path;
}

static const char *track_stream(const tw_lane *lane, uint32_t number)
{
    return tw_streams_at(tw_engine_streams(lane->engine),
                         tw_engine_track(lane->engine, number)->stream)
        ->name;
}

static void save_clocks(const tw_lane *lane, tw_buf *out)
{
    tw_state_put_u64(out, lane->clocks.count);
    for (uint32_t i = 0; i < lane->clocks.count; i++) {
        const tw_track_clock *t = &lane->clocks.tracks[i];
        put_text(out, track_stream(lane, i));
        put_text(out, track_path(lane, i));
        tw_state_put_i64(out, tw_engine_track(lane->engine, i)->future_ms);
        tw_state_put_u64(out, t->count);
        for (uint32_t k = 0; k < t->count; k++) {
            tw_state_put_u64(out, t->parts[k].source);
            tw_state_put_i64(out, t->parts[k].partition);
            tw_state_put_i64(out, t->parts[k].max_ms);
            tw_state_put_i64(out, t->parts[k].first_ms);
            tw_state_put_i64(out, t->parts[k].arrival_ms);
            tw_state_put_i64(out, t->parts[k].known_ms);
        }
    }
}

static uint32_t find_track(const tw_lane *lane, const char *stream, const char *path,
                           int64_t future_ms)
{
    uint32_t count = tw_engine_track_count(lane->engine);

    for (uint32_t i = 0; i < count; i++)
        if (strcmp(track_stream(lane, i), stream) == 0 &&
            strcmp(track_path(lane, i), path) == 0 &&
            tw_engine_track(lane->engine, i)->future_ms == future_ms)
            return i;
    return TW_NO_TRACK;
}

/* Of a time line that no rule reads any more nothing is kept. */
static bool load_track(tw_lane *lane, tw_state_in *in)
{
    char stream[256], path[1024];
    int64_t future_ms;
    uint64_t parts;

    if (!take_text(in, stream, sizeof stream) || !take_text(in, path, sizeof path) ||
        !tw_state_take_i64(in, &future_ms) || !tw_state_take_u64(in, &parts))
        return false;
    uint32_t track = find_track(lane, stream, path, future_ms);
    for (uint64_t k = 0; k < parts; k++) {
        uint32_t source;
        int64_t partition, max_ms, first_ms, arrival_ms, known_ms;
        if (!tw_state_take_u32(in, &source) || !tw_state_take_i64(in, &partition) ||
            !tw_state_take_i64(in, &max_ms) || !tw_state_take_i64(in, &first_ms) ||
            !tw_state_take_i64(in, &arrival_ms) || !tw_state_take_i64(in, &known_ms))
            return false;
        if (track == TW_NO_TRACK)
            continue;
        tw_partition_clock *p = tw_clocks_partition(&lane->clocks, track, source,
                                                    (int32_t)partition, arrival_ms);
        p->max_ms = max_ms;
        p->first_ms = first_ms;
        p->arrival_ms = arrival_ms;
        p->known_ms = known_ms;
        p->changed = false; /* every lane has been told, and has saved it */
    }
    return true;
}

static bool load_clocks(tw_lane *lane, tw_state_in *in)
{
    uint64_t count;

    if (!tw_state_take_u64(in, &count))
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!load_track(lane, in))
            return false;
    return true;
}

/* ---- events that wait -------------------------------------------------------------- */

static void save_waiting(void *self, const tw_key *key, uint32_t input,
                         const tw_event *ev, int64_t time_ms)
{
    tw_buf *out = self;

    tw_state_put_u64(out, input);
    tw_state_put_i64(out, time_ms);
    tw_state_put_bytes(out, key->data, key->len);
    tw_state_put_u64(out, ev->stream);
    tw_state_put_i64(out, ev->time_ms);
    tw_state_put_i64(out, ev->arrival_ms);
    tw_state_put_i64(out, ev->partition);
    tw_state_put_i64(out, ev->offset);
    tw_state_put_u64(out, ev->index);
    tw_state_put_u64(out, ev->seq);
    tw_state_put_origin(out, &ev->led_by);
    tw_state_put_bytes(out, ev->raw, ev->raw_len);
}

typedef struct waiting {
    tw_instance *inst;
    tw_key key;
    uint32_t input, stream, index;
    int64_t time_ms, ev_ms, arrival_ms, partition, offset;
    uint64_t seq;
    tw_origin led_by;
    const void *raw;
    size_t raw_len;
} waiting;

static void put_waiting(void *self, const tw_event *decoded)
{
    const waiting *w = self;
    tw_event ev = *decoded;

    ev.time_ms = w->ev_ms;
    ev.arrival_ms = w->arrival_ms;
    ev.partition = (int32_t)w->partition;
    ev.offset = w->offset;
    ev.index = w->index;
    ev.seq = w->seq;
    ev.led_by = w->led_by;
    (void)tw_reorder_put(w->inst->reorder, &w->key, w->input, &ev, w->time_ms);
}

static bool take_waiting(tw_state_in *in, waiting *w)
{
    const void *key;
    size_t key_len;

    if (!tw_state_take_u32(in, &w->input) || !tw_state_take_i64(in, &w->time_ms) ||
        !tw_state_take_bytes(in, &key, &key_len) || !tw_state_take_u32(in, &w->stream) ||
        !tw_state_take_i64(in, &w->ev_ms) || !tw_state_take_i64(in, &w->arrival_ms) ||
        !tw_state_take_i64(in, &w->partition) || !tw_state_take_i64(in, &w->offset) ||
        !tw_state_take_u32(in, &w->index) || !tw_state_take_u64(in, &w->seq) ||
        !tw_state_take_origin(in, &w->led_by) ||
        !tw_state_take_bytes(in, &w->raw, &w->raw_len) || key_len > TW_MAX_KEY_BYTES)
        return false;
    w->key = tw_key_from_bytes(key, (uint32_t)key_len);
    return true;
}

static bool load_waiting(tw_lane *lane, tw_instance *inst, tw_state_in *in)
{
    const tw_ruleset *set = lane->rules->set;
    uint64_t count;

    if (!tw_state_take_u64(in, &count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        waiting w = {.inst = inst};
        tw_err err;
        if (!take_waiting(in, &w))
            return false;
        if (!inst->reorder || w.input >= inst->rule->input_count ||
            w.stream >= set->stream_count || !set->streams[w.stream].projection)
            continue;
        tw_decode_origin origin = {.partition = (int32_t)w.partition,
                                   .offset = w.offset,
                                   .time_ms = w.ev_ms,
                                   .arrival_ms = w.arrival_ms,
                                   .seq = w.seq};
        tw_event_port port = {put_waiting, &w};
        tw_stream json = *tw_streams_at(tw_engine_streams(lane->engine), w.stream);
        json.format = TW_FORMAT_JSON; /* the raw bytes of a line of text are JSON, too */
        (void)tw_decode(lane->decoder, set->streams[w.stream].decode, &json, w.raw,
                        w.raw_len, &origin, &port, &err);
    }
    return true;
}

/* ---- rules ------------------------------------------------------------------------- */

static int save_instance(const tw_lane *lane, const tw_instance *inst, tw_buf *out,
                         tw_err *err)
{
    const tw_detector_class *cls = inst->detector->cls;
    tw_reorder_port port = {save_waiting, out};
    tw_buf state;

    if (!cls->save || !cls->load)
        return tw_err_set(err, TW_EUNSUPPORTED,
                          "what '%s' knows of %s cannot be saved yet", cls->name,
                          inst->rule->name);
    put_text(out, inst->rule->name);
    put_text(out, inst->rule->state_hash);
    tw_state_put_i64(out, lane->rules->domains[inst->domain].clock_ms);
    tw_state_put_i64(out, inst->warming_until_ms);
    tw_state_put_i64(out, inst->rule->park_ms);
    tw_buf_init(&state, MAX_STATE_BYTES);
    cls->save(inst->detector, &state);
    tw_state_put_bytes(out, state.data, state.len);
    tw_buf_reset(&state);
    if (inst->dedup)
        tw_dedup_save(inst->dedup, &state);
    tw_state_put_bytes(out, state.len > 0 ? state.data : "", state.len);
    tw_buf_reset(&state);
    if (inst->raised)
        tw_raised_save(inst->raised, &state);
    tw_state_put_bytes(out, state.len > 0 ? state.data : "", state.len);
    tw_buf_reset(&state);
    if (inst->throttle)
        tw_throttle_save(inst->throttle, &state);
    tw_state_put_bytes(out, state.len > 0 ? state.data : "", state.len);
    tw_buf_done(&state);
    tw_state_put_u64(out, inst->reorder ? tw_reorder_count(inst->reorder) : 0);
    if (inst->reorder)
        tw_reorder_visit(inst->reorder, &port);
    return TW_OK;
}

static void set_clock(tw_domain *d, int64_t clock_ms)
{
    if (clock_ms == TW_TIME_NONE ||
        (d->clock_ms != TW_TIME_NONE && d->clock_ms > clock_ms))
        return;
    d->clock_ms = clock_ms;
    atomic_store_explicit(&d->published_ms, clock_ms, memory_order_release);
}

/* The names of the rules in a saved state; texts are borrowed from it. */
typedef struct saved_names {
    const char **texts;
    size_t *sizes;
    uint64_t count;
} saved_names;

static void save_names(const tw_ruleset *set, tw_buf *out)
{
    tw_state_put_u64(out, set->rule_count);
    for (uint32_t i = 0; i < set->rule_count; i++)
        put_text(out, set->rules[i]->name);
}

static bool load_names(tw_state_in *in, saved_names *out)
{
    *out = (saved_names){0};
    if (!tw_state_take_u64(in, &out->count) || out->count > (size_t)(in->end - in->at))
        return false;
    out->texts = tw_calloc(out->count + 1, sizeof *out->texts);
    out->sizes = tw_calloc(out->count + 1, sizeof *out->sizes);
    for (uint64_t i = 0; i < out->count; i++) {
        const void *text;
        if (!tw_state_take_bytes(in, &text, &out->sizes[i]))
            return false;
        out->texts[i] = text;
    }
    return true;
}

static void forget_names(saved_names *names)
{
    tw_free(names->texts);
    tw_free(names->sizes);
}

static bool is_saved(const saved_names *names, const char *name)
{
    for (uint64_t i = 0; i < names->count; i++)
        if (names->sizes[i] == strlen(name) &&
            memcmp(names->texts[i], name, names->sizes[i]) == 0)
            return true;
    return false;
}

/* Whether the rule goes on with what is saved under `name`: as tw_ruleset_before. */
static bool goes_on_with(const tw_rule *rule, const saved_names *names, const char *name)
{
    if (strcmp(rule->name, name) == 0 || is_saved(names, rule->name))
        return strcmp(rule->name, name) == 0;
    for (uint32_t i = 0; i < rule->was_count; i++)
        if (is_saved(names, rule->was[i]))
            return strcmp(rule->was[i], name) == 0;
    return false;
}

/* The instance that goes on with what a rule of this name and shape knew, or NULL. */
static tw_instance *find_heir(tw_lane *lane, const saved_names *names, const char *name,
                              const char *hash)
{
    const tw_ruleset *set = lane->rules->set;

    for (uint32_t i = 0; i < set->rule_count; i++) {
        if (goes_on_with(set->rules[i], names, name))
            return strcmp(set->rules[i]->state_hash, hash) == 0
                       ? &lane->rules->instances[i]
                       : NULL;
    }
    return NULL;
}

/* The rule is gone, or another one by now: what it knew waits for it; what waited for the clock is lost. */
static int park_saved(tw_lane *lane, const tw_saved_rule *saved, tw_state_in *in,
                      tw_err *err)
{
    tw_instance none = {0};

    tw_engine_park_saved(lane->engine, lane->number, saved);
    return load_waiting(lane, &none, in)
               ? TW_OK
               : tw_err_set(err, TW_EPARSE, "the saved state is broken");
}

static int load_instance(tw_lane *lane, const saved_names *names, tw_state_in *in,
                         tw_err *err)
{
    char name[256], hash[33];
    int64_t clock_ms, warming_until_ms;
    const void *raised, *sent;
    size_t raised_size, sent_size;
    tw_saved_rule saved = {.name = name, .state_hash = hash};

    if (!take_text(in, name, sizeof name) || !take_text(in, hash, sizeof hash) ||
        !tw_state_take_i64(in, &clock_ms) || !tw_state_take_i64(in, &warming_until_ms) ||
        !tw_state_take_i64(in, &saved.park_ms) ||
        !tw_state_take_bytes(in, &saved.state, &saved.state_size) ||
        !tw_state_take_bytes(in, &saved.known, &saved.known_size) ||
        !tw_state_take_bytes(in, &raised, &raised_size) ||
        !tw_state_take_bytes(in, &sent, &sent_size))
        return tw_err_set(err, TW_EPARSE, "the saved state is broken");
    tw_instance *inst = find_heir(lane, names, name, hash);
    if (!inst)
        return park_saved(lane, &saved, in, err);
    tw_state_in own = tw_state_in_of(saved.state, saved.state_size);
    set_clock(&lane->rules->domains[inst->domain], clock_ms);
    inst->warming_until_ms = warming_until_ms;
    int rc = inst->detector->cls->load(inst->detector, &own, err);
    own = tw_state_in_of(saved.known, saved.known_size);
    if (rc == TW_OK && inst->dedup && saved.known_size > 0)
        rc = tw_dedup_load(inst->dedup, &own, err);
    own = tw_state_in_of(raised, raised_size);
    if (rc == TW_OK && inst->raised && raised_size > 0)
        rc = tw_raised_load(inst->raised, &own, err);
    own = tw_state_in_of(sent, sent_size);
    if (rc == TW_OK && inst->throttle && sent_size > 0)
        rc = tw_throttle_load(inst->throttle, &own, err);
    if (rc < 0)
        return tw_err_set(err, rc, "the saved state of %s cannot be read", name);
    if (!load_waiting(lane, inst, in))
        return tw_err_set(err, TW_EPARSE, "the saved state of %s is broken", name);
    if (clock_ms != TW_TIME_NONE)
        tw_instance_begun(lane, inst, clock_ms);
    tw_instance_due(&lane->rules->domains[inst->domain], inst);
    return TW_OK;
}

int tw_lane_save(const tw_lane *lane, tw_buf *out, tw_err *err)
{
    uint32_t count = lane->rules->set->rule_count;
    int rc = TW_OK;

    save_clocks(lane, out);
    tw_state_put_u64(out, tw_lane_emitted(lane));
    save_names(lane->rules->set, out);
    for (uint32_t i = 0; i < count && rc == TW_OK; i++)
        rc = save_instance(lane, &lane->rules->instances[i], out, err);
    return rc;
}

int tw_lane_load(tw_lane *lane, tw_state_in *in, tw_err *err)
{
    saved_names names = {0};
    uint32_t emitted;
    int rc = TW_OK;

    if (!load_clocks(lane, in) || !tw_state_take_u32(in, &emitted) ||
        !load_names(in, &names)) {
        forget_names(&names);
        return tw_err_set(err, TW_EPARSE, "the saved state is broken");
    }
    tw_lane_emits_from(lane, emitted);
    for (uint64_t i = 0; i < names.count && rc == TW_OK; i++)
        rc = load_instance(lane, &names, in, err);
    forget_names(&names);
    return rc;
}
