// SPDX-License-Identifier: Apache-2.0
/* What lanes say to each other: matched events for the lane that owns their key, how far time has come in a
 * partition, and that the input of a source guard was heard. On the lane's thread only, or on the shore
 * while the lane is paused.
 *
 * Invariant: what was heard before a clock was reported stands in the ring before the report. */
#include <string.h>

#include "base/mem.h"
#include "engine.h"
#include "lane_rules.h"

/* ---- what travels in a ring -------------------------------------------------------- */

typedef enum item_kind { ITEM_EVENT, ITEM_CLOCK, ITEM_HEARD } item_kind;

/* Header of a record; for ITEM_EVENT key bytes and the event's block follow, each 16-byte
 * aligned. */
typedef struct ring_item {
    item_kind kind;
    uint32_t rule;
    union {
        struct {
            uint32_t input, key_len; /* ITEM_EVENT */
        };
        int64_t first_ms; /* ITEM_CLOCK */
    };
    int64_t time_ms;
    int64_t arrival_ms;           /* ITEM_CLOCK; ITEM_HEARD: the end of the span */
    int64_t backlog_ms, known_ms; /* ITEM_CLOCK */
    uint32_t track, source;       /* ITEM_CLOCK */
    int32_t partition;            /* ITEM_CLOCK */
} __attribute__((aligned(16))) ring_item;

static size_t align16(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

/* While the other side is full it may be waiting for us too, so we go on reading our own
 * rings. */
static void *reserve(tw_lane *lane, uint32_t to, size_t size)
{
    void *p;

    while (!(p = tw_ring_reserve(lane->out[to], size))) {
        tw_ring_publish(lane->out[to]);
        tw_wake_ring(lane->peers[to]->wake);
        if (tw_engine_is_one(lane->engine))
            tw_lane_drain(lane->peers[to]); /* one thread stands for all lanes */
        else if (!tw_lane_drain(lane))
            tw_wake_wait(lane->wake, 1);
    }
    return p;
}

void tw_lane_send_event(tw_lane *lane, uint32_t to, const tw_route_target *target,
                        const tw_key *key, const tw_event *ev, int64_t time_ms)
{
    size_t block = tw_event_copy_size(ev);
    char *p = reserve(lane, to, sizeof(ring_item) + align16(key->len) + block);

    *(ring_item *)(void *)p = (ring_item){.kind = ITEM_EVENT,
                                          .rule = target->rule,
                                          .input = target->input,
                                          .key_len = key->len,
                                          .time_ms = time_ms};
    p += sizeof(ring_item);
    memcpy(p, key->data, key->len);
    tw_event_copy_into(ev, p + align16(key->len));
    tw_ring_commit(lane->out[to]);
    tw_count_own(lane->exchanged, 1);
}

static void send_clock(tw_lane *lane, uint32_t to, uint32_t track,
                       const tw_partition_clock *p)
{
    ring_item *item = reserve(lane, to, sizeof *item);

    *item = (ring_item){.kind = ITEM_CLOCK,
                        .track = track,
                        .source = p->source,
                        .partition = p->partition,
                        .first_ms = p->first_ms,
                        .time_ms = p->max_ms,
                        .arrival_ms = p->arrival_ms,
                        .backlog_ms = p->backlog_ms,
                        .known_ms = p->known_ms};
    tw_ring_commit(lane->out[to]);
}

static void send_heard(tw_lane *lane, uint32_t rule, tw_instance *inst)
{
    for (uint32_t to = 0; to < lane->lane_count; to++) {
        if (to == lane->number)
            continue;
        ring_item *item = reserve(lane, to, sizeof *item);
        *item = (ring_item){.kind = ITEM_HEARD,
                            .rule = rule,
                            .time_ms = inst->heard_from_ms,
                            .arrival_ms = inst->heard_to_ms};
        tw_ring_commit(lane->out[to]);
    }
    inst->heard_from_ms = TW_TIME_NONE;
    lane->heard_pending--;
}

void tw_lane_note_heard(tw_lane *lane, uint32_t rule, tw_instance *inst, int64_t time_ms)
{
    bool is_open = inst->heard_from_ms != TW_TIME_NONE;

    if (is_open && (time_ms > inst->heard_to_ms + inst->guard_ms ||
                    time_ms < inst->heard_from_ms - inst->guard_ms)) {
        send_heard(lane, rule, inst);
        is_open = false;
    }
    if (!is_open) {
        inst->heard_from_ms = inst->heard_to_ms = time_ms;
        lane->heard_pending++;
    }
    if (time_ms < inst->heard_from_ms)
        inst->heard_from_ms = time_ms;
    if (time_ms > inst->heard_to_ms)
        inst->heard_to_ms = time_ms;
}

static void receive_event(tw_lane *lane, ring_item *item)
{
    char *p = (char *)(item + 1);
    tw_key key = tw_key_from_bytes((const uint8_t *)p, item->key_len);
    tw_event *ev = tw_event_rebase(p + align16(item->key_len));

    tw_decoder_adopt(lane->decoder, ev); /* lazy reads belong to the lane that reads */
    tw_instance_judge(lane, &lane->rules->instances[item->rule], &key, item->input, ev,
                      item->time_ms);
}

static void receive_clock(tw_lane *lane, const ring_item *item)
{
    tw_partition_clock *p = tw_clocks_partition(&lane->clocks, item->track, item->source,
                                                item->partition, item->arrival_ms);
    if (item->time_ms != TW_TIME_NONE) {
        tw_partition_clock_observe(p, item->time_ms, item->arrival_ms, TW_TIME_NONE);
        p->first_ms = item->first_ms;
    }
    if (item->arrival_ms > p->arrival_ms)
        p->arrival_ms = item->arrival_ms;
    p->known_ms = item->known_ms;
    p->backlog_ms = item->backlog_ms;
    p->changed = false; /* only the lane that reads a partition reports it */
    tw_domains_update(lane, &item->track, 1, tw_clock_now_ms(lane->clock));
}

bool tw_lane_drain(tw_lane *lane)
{
    bool any = false;

    for (uint32_t i = 0; i < lane->lane_count; i++) {
        ring_item *item;
        size_t size;
        while (lane->in[i] && (item = tw_ring_peek(lane->in[i], &size))) {
            if (item->kind == ITEM_EVENT)
                receive_event(lane, item);
            else if (item->kind == ITEM_HEARD)
                tw_instance_heard(lane, &lane->rules->instances[item->rule],
                                  item->time_ms, item->arrival_ms);
            else
                receive_clock(lane, item);
            tw_ring_consume(lane->in[i]);
            any = true;
        }
    }
    return any;
}

/* ---- clocks across lanes ----------------------------------------------------------- */

static void report_track(tw_lane *lane, uint32_t track)
{
    tw_track_clock *t = &lane->clocks.tracks[track];

    for (uint32_t k = 0; k < t->count; k++) {
        if (!t->parts[k].changed)
            continue;
        t->parts[k].changed = false;
        for (uint32_t to = 0; to < lane->lane_count; to++) {
            if (to != lane->number)
                send_clock(lane, to, track, &t->parts[k]);
        }
    }
}

void tw_lane_flush(tw_lane *lane)
{
    const tw_ruleset *set = lane->rules->set;

    if (set->derived_count)
        tw_domains_update(lane, set->derived_tracks, set->derived_count,
                          tw_clock_now_ms(lane->clock));
    for (uint32_t r = 0; lane->heard_pending > 0 && r < lane->rules->set->rule_count;
         r++) {
        if (lane->rules->instances[r].heard_from_ms != TW_TIME_NONE)
            send_heard(lane, r, &lane->rules->instances[r]);
    }
    for (uint32_t track = 0; lane->lane_count > 1 && track < lane->clocks.count; track++)
        report_track(lane, track);
    for (uint32_t to = 0; to < lane->lane_count; to++) {
        if (lane->out[to] && tw_ring_publish(lane->out[to]))
            tw_wake_ring(lane->peers[to]->wake);
    }
}

/* ---- what a rule is told of other keys ------------------------------------------------ */

void tw_instance_heard(tw_lane *lane, tw_instance *inst, int64_t from_ms, int64_t to_ms)
{
    int64_t clock_ms = lane->rules->domains[inst->domain].clock_ms;
    bool is_late = inst->rule->lateness_ms > 0 && to_ms < clock_ms;

    if (!inst->detector->cls->heard || is_late)
        return;
    inst->detector->cls->heard(inst->detector, from_ms, to_ms, clock_ms);
    tw_instance_due(&lane->rules->domains[inst->domain], inst);
}

void tw_lane_rules_expect(tw_lane_rules *rules, uint32_t rule, tw_expected *set,
                          const tw_start *starts)
{
    tw_instance *inst = &rules->instances[rule];
    tw_domain *d = &rules->domains[inst->domain];

    inst->detector->cls->expect(inst->detector, set, d->clock_ms,
                                starts[inst->domain].newest_ms);
    tw_instance_due(d, inst);
}
