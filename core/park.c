// SPDX-License-Identifier: Apache-2.0
/* Invariant: `bytes` is the sum over the items, and neither it nor `count` is beyond its bound. */
#include "park.h"

#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "detect/dedup.h"
#include "detect/wake.h"

/* ---- life -------------------------------------------------------------------------- */

void tw_park_init(tw_park *p, tw_stats *stats)
{
    *p = (tw_park){0};
    p->rules_gauge = tw_stats_gauge(
        stats, "rules_parked", "Rules whose state waits for them to come back.", NULL);
    p->bytes_gauge =
        tw_stats_gauge(stats, "parked_bytes", "What parked rules know, in bytes.", NULL);
    p->revived = tw_stats_counter(stats, "rules_revived_total",
                                  "Rules that went on with parked state.", NULL);
    p->dropped =
        tw_stats_counter(stats, "rules_park_dropped_total",
                         "Parked states that went because there was no room.", NULL);
}

void tw_parked_free(tw_parked *parked)
{
    if (!parked)
        return;
    for (uint32_t i = 0; parked->lanes && i < parked->lane_count; i++) {
        tw_free(parked->lanes[i].state);
        tw_free(parked->lanes[i].known);
    }
    tw_free(parked->lanes);
    tw_rule_unref(parked->rule);
    tw_free(parked->name);
    tw_free(parked);
}

static void show(const tw_park *p)
{
    tw_gauge_set(p->rules_gauge, p->count);
    tw_gauge_set(p->bytes_gauge, (int64_t)p->bytes);
}

void tw_park_done(tw_park *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        tw_parked_free(p->items[i]);
    tw_free(p->items);
    *p = (tw_park){0};
}

void tw_park_take(tw_park *p, tw_parked *parked)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < p->count; i++)
        if (p->items[i] != parked)
            p->items[kept++] = p->items[i];
    p->count = kept;
    p->bytes -= parked->bytes;
    show(p);
}

static void drop(tw_park *p, tw_parked *parked)
{
    tw_park_take(p, parked);
    tw_parked_free(parked);
}

static void drop_for_room(tw_park *p, tw_parked *parked)
{
    tw_log_warn("rules", "no room for what parked rules know; the oldest goes", "rule",
                parked->name, "bytes", TW_LOG_INT(parked->bytes), NULL);
    tw_count(p->dropped, 1);
    drop(p, parked);
}

void tw_park_expire(tw_park *p, int64_t now_ms)
{
    for (uint32_t i = p->count; i-- > 0;)
        if (p->items[i]->until_ms <= now_ms)
            drop(p, p->items[i]);
}

static int64_t until(int64_t now_ms, int64_t park_ms)
{
    int64_t sum;

    return __builtin_add_overflow(now_ms, park_ms, &sum) ? INT64_MAX : sum;
}

/* ---- putting ----------------------------------------------------------------------- */

static tw_parked *find_same(const tw_park *p, const char *name, const char *state_hash)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i]->name, name) == 0 &&
            strcmp(p->items[i]->state_hash, state_hash) == 0)
            return p->items[i];
    return NULL;
}

/* Takes it. */
static void add(tw_park *p, tw_parked *parked)
{
    tw_parked *same = find_same(p, parked->name, parked->state_hash);

    if (same)
        drop(p, same);
    while (p->count > 0 && (p->count >= TW_PARK_MAX_RULES ||
                            p->bytes + parked->bytes > TW_PARK_MAX_BYTES))
        drop_for_room(p, p->items[0]);
    p->items = tw_realloc(p->items, (p->count + 1) * sizeof *p->items);
    p->items[p->count++] = parked;
    p->bytes += parked->bytes;
    show(p);
}

static void *copy_of(const void *data, size_t size)
{
    return size > 0 ? memcpy(tw_alloc(size), data, size) : NULL;
}

/* The bytes of a buffer that is done with; false: it was too small. */
static bool keep(tw_buf *b, void **out, size_t *out_size)
{
    bool good = !b->failed;

    if (good) {
        *out = copy_of(b->data, b->len);
        *out_size = b->len;
    }
    tw_buf_done(b);
    return good;
}

static bool keep_instance(tw_parked *parked, const tw_instance *inst, uint32_t lane)
{
    tw_parked_lane *l = &parked->lanes[lane];
    const tw_detector *d = inst->detector;
    char why[128];
    tw_buf b;
    bool good = true;

    parked->keys += d->cls->key_count ? d->cls->key_count(d) : 0;
    if (d->cls->save && tw_detector_can_wake(inst->rule, 0, why, sizeof why)) {
        tw_buf_init(&b, TW_PARK_MAX_BYTES - parked->bytes);
        d->cls->save(d, &b);
        good = keep(&b, &l->state, &l->state_size);
    }
    if (good && inst->dedup) {
        tw_buf_init(&b, TW_PARK_MAX_BYTES - parked->bytes - l->state_size);
        tw_dedup_save(inst->dedup, &b);
        good = keep(&b, &l->known, &l->known_size);
    }
    parked->bytes += l->state_size + l->known_size;
    return good;
}

bool tw_park_would_take(const tw_rule *rule, char *why, size_t size)
{
    bool wakes = tw_detector_can_wake(rule, 0, why, size);

    if (rule->park_ms == 0)
        snprintf(why, size, "it is not parked");
    return rule->park_ms > 0 && (wakes || rule->dedup);
}

void tw_park_put(tw_park *p, tw_instance *const *instances, uint32_t lane_count,
                 int64_t now_ms)
{
    tw_rule *rule = instances[0]->rule;
    char why[128];
    bool good = true;

    if (!tw_park_would_take(rule, why, sizeof why))
        return;
    tw_parked *parked = tw_alloc(sizeof *parked);
    *parked = (tw_parked){.name = tw_strdup(rule->name),
                          .rule = tw_rule_ref(rule),
                          .since_ms = now_ms,
                          .until_ms = until(now_ms, rule->park_ms),
                          .lanes = tw_calloc(lane_count, sizeof *parked->lanes),
                          .lane_count = lane_count};
    memcpy(parked->state_hash, rule->state_hash, sizeof parked->state_hash);
    for (uint32_t i = 0; i < lane_count && good; i++)
        good = keep_instance(parked, instances[i], i);
    if (good) {
        add(p, parked);
        return;
    }
    tw_log_warn("rules", "what a rule knows is too much to be parked", "rule", rule->name,
                NULL);
    tw_count(p->dropped, 1);
    tw_parked_free(parked);
}

void tw_park_saved(tw_park *p, const tw_saved_rule *saved, uint32_t lane,
                   uint32_t lane_count, int64_t now_ms)
{
    tw_parked *item = find_same(p, saved->name, saved->state_hash);

    if (saved->park_ms <= 0 || saved->state_size + saved->known_size > TW_PARK_MAX_BYTES)
        return;
    if (!item) {
        item = tw_alloc(sizeof *item);
        *item = (tw_parked){.name = tw_strdup(saved->name),
                            .since_ms = now_ms,
                            .until_ms = until(now_ms, saved->park_ms),
                            .lanes = tw_calloc(lane_count, sizeof *item->lanes),
                            .lane_count = lane_count};
        memcpy(item->state_hash, saved->state_hash, strlen(saved->state_hash));
    } else {
        tw_park_take(p, item);
    }
    tw_parked_lane *l = &item->lanes[lane];
    tw_free(l->state);
    tw_free(l->known);
    item->bytes += saved->state_size + saved->known_size - l->state_size - l->known_size;
    *l = (tw_parked_lane){copy_of(saved->state, saved->state_size),
                          copy_of(saved->known, saved->known_size), saved->state_size,
                          saved->known_size};
    if (item->bytes <= TW_PARK_MAX_BYTES)
        add(p, item);
    else
        tw_parked_free(item);
}

/* ---- waking ------------------------------------------------------------------------ */

/* Whether the rule can go on with it at all. */
static bool fits(const tw_parked *parked, const tw_rule *fresh)
{
    tw_edit edit;

    if (strcmp(parked->state_hash, fresh->state_hash) == 0)
        return true;
    return parked->rule && tw_rule_fate(fresh, parked->rule, &edit) != TW_FATE_COLD;
}

static bool knows_repeats(const tw_parked *parked)
{
    for (uint32_t i = 0; i < parked->lane_count; i++)
        if (parked->lanes[i].known)
            return true;
    return false;
}

static tw_parked *find_named(const tw_park *p, const tw_rule *fresh, const char *name,
                             int64_t now_ms)
{
    tw_parked *found = find_same(p, name, fresh->state_hash);

    if (found && found->until_ms > now_ms)
        return found;
    for (uint32_t i = p->count; i-- > 0;)
        if (strcmp(p->items[i]->name, name) == 0 && p->items[i]->until_ms > now_ms &&
            fits(p->items[i], fresh))
            return p->items[i];
    return NULL;
}

tw_parked *tw_park_find(const tw_park *p, const tw_rule *fresh, int64_t now_ms, char *why,
                        size_t size)
{
    tw_parked *found = find_named(p, fresh, fresh->name, now_ms);

    for (uint32_t i = 0; !found && i < fresh->was_count; i++)
        found = find_named(p, fresh, fresh->was[i], now_ms);
    if (!found || tw_detector_can_wake(found->rule ? found->rule : fresh,
                                       now_ms - found->since_ms, why, size))
        return found;
    return knows_repeats(found) ? found : NULL;
}

/* The detector of then, which has nothing to say. NULL: its bytes are not what was saved. */
static tw_detector *rebuild(const tw_parked_lane *l, tw_rule *rule, const tw_lane *lane,
                            tw_script *script)
{
    tw_detect_env env = {
        .script = script, .lane = lane->number, .lane_count = lane->lane_count};
    tw_state_in in = tw_state_in_of(l->state, l->state_size);
    tw_err err = {0};
    tw_detector *d = tw_detector_class_of(rule)->new (rule, &env, &err);

    if (d && d->cls->load(d, &in, &err) == TW_OK)
        return d;
    tw_log_error("rules", "what was parked cannot be read", "rule", rule->name, "reason",
                 err.text, NULL);
    if (d)
        d->cls->free(d);
    return NULL;
}

static void wake_dedup(const tw_parked_lane *l, const tw_rule *rule, tw_instance *inst)
{
    tw_state_in in = tw_state_in_of(l->known, l->known_size);
    tw_err err = {0};

    if (!inst->dedup || !rule->dedup || !l->known)
        return;
    tw_dedup *known = tw_dedup_new(rule->dedup);
    if (tw_dedup_load(known, &in, &err) == TW_OK)
        tw_dedup_adopt(inst->dedup, known);
    tw_dedup_free(known);
}

void tw_parked_wake(const tw_parked *parked, tw_instance *inst, tw_script *script,
                    int64_t now_ms)
{
    tw_rule *rule = parked->rule ? parked->rule : inst->rule;
    const tw_parked_lane *l = &parked->lanes[inst->lane->number];
    char why[128];

    wake_dedup(l, rule, inst);
    if (!l->state ||
        !tw_detector_can_wake(rule, now_ms - parked->since_ms, why, sizeof why))
        return;
    tw_detector *then = rebuild(l, rule, inst->lane, script);
    if (!then)
        return;
    tw_detector_wake(then, rule);
    inst->detector->cls->adopt(inst->detector, then, TW_TIME_NONE);
    then->cls->free(then);
}

/* ---- views and bytes --------------------------------------------------------------- */

json_t *tw_park_json(const tw_park *p)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < p->count; i++) {
        const tw_parked *item = p->items[i];
        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:I}", "rule",
                                              item->name, "keys", (json_int_t)item->keys,
                                              "bytes", (json_int_t)item->bytes, "since",
                                              (json_int_t)item->since_ms, "until",
                                              (json_int_t)item->until_ms));
    }
    return list;
}

void tw_park_save(const tw_park *p, tw_buf *out)
{
    tw_state_put_u64(out, p->count);
    for (uint32_t i = 0; i < p->count; i++) {
        const tw_parked *item = p->items[i];
        tw_state_put_bytes(out, item->name, strlen(item->name));
        tw_state_put_bytes(out, item->state_hash, strlen(item->state_hash));
        tw_state_put_i64(out, item->since_ms);
        tw_state_put_i64(out, item->until_ms);
        tw_state_put_u64(out, item->keys);
        for (uint32_t k = 0; k < item->lane_count; k++) {
            const tw_parked_lane *l = &item->lanes[k];
            tw_state_put_bytes(out, l->state ? l->state : "", l->state_size);
            tw_state_put_bytes(out, l->known ? l->known : "", l->known_size);
        }
    }
}

static bool take_block(tw_state_in *in, void **out, size_t *out_size)
{
    const void *data;

    if (!tw_state_take_bytes(in, &data, out_size))
        return false;
    if (*out_size > 0) {
        *out = tw_alloc(*out_size);
        memcpy(*out, data, *out_size);
    }
    return true;
}

static bool load_one(tw_parked *item, tw_state_in *in)
{
    const void *name, *hash;
    size_t name_size, hash_size;

    if (!tw_state_take_bytes(in, &name, &name_size) ||
        !tw_state_take_bytes(in, &hash, &hash_size) ||
        hash_size >= sizeof item->state_hash || !tw_state_take_i64(in, &item->since_ms) ||
        !tw_state_take_i64(in, &item->until_ms) || !tw_state_take_u64(in, &item->keys) ||
        item->since_ms < 0 || item->until_ms < item->since_ms)
        return false;
    item->name = tw_strndup(name, name_size);
    memcpy(item->state_hash, hash, hash_size);
    for (uint32_t k = 0; k < item->lane_count; k++) {
        tw_parked_lane *l = &item->lanes[k];
        if (!take_block(in, &l->state, &l->state_size) ||
            !take_block(in, &l->known, &l->known_size))
            return false;
        item->bytes += l->state_size + l->known_size;
    }
    return true;
}

int tw_park_load(tw_park *p, tw_state_in *in, uint32_t lane_count, tw_err *err)
{
    uint64_t count = 0;
    bool good = tw_state_take_u64(in, &count);

    for (uint64_t i = 0; good && i < count; i++) {
        tw_parked *item = tw_alloc(sizeof *item);
        *item = (tw_parked){.lanes = tw_calloc(lane_count, sizeof *item->lanes),
                            .lane_count = lane_count};
        good = load_one(item, in);
        if (good)
            add(p, item);
        else
            tw_parked_free(item);
    }
    return good ? TW_OK : tw_err_set(err, TW_EPARSE, "the saved state is broken");
}
