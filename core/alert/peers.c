// SPDX-License-Identifier: Apache-2.0
/* Invariant: an incident is in one bucket of `by_labels` for each list of labels that an inhibitor naming its rule
 * wants equal, and, while it is inhibited, in one of `held` for each of its own inhibitors. A bucket has somebody in it.
 *
 * Key of a bucket: rule, NUL, then for each label its name, NUL, 1 and its value, or 0, and NUL. */
#include "alert/peers.h"

#include <string.h>

#include "base/mem.h"

#define MAX_KEY_BYTES (16u << 20)

typedef struct label_list {
    char **names;
    uint32_t count;
} label_list;

/* What inhibitors that name a rule want equal. */
typedef struct wanted {
    label_list *lists;
    uint32_t count;
} wanted;

struct tw_peers {
    tw_map *wanted;    /* rule -> wanted, owns */
    tw_map *by_labels; /* key -> tw_bucket, owns */
    tw_map *held;      /* key -> tw_bucket, owns */
};

static void wanted_free(void *p)
{
    wanted *w = p;

    for (uint32_t i = 0; i < w->count; i++) {
        for (uint32_t k = 0; k < w->lists[i].count; k++)
            tw_free(w->lists[i].names[k]);
        tw_free(w->lists[i].names);
    }
    tw_free(w->lists);
    tw_free(w);
}

static void bucket_free(void *p)
{
    tw_bucket *b = p;

    tw_free(b->items);
    tw_free(b->key);
    tw_free(b);
}

tw_peers *tw_peers_new(void)
{
    tw_peers *p = tw_alloc(sizeof *p);

    p->wanted = tw_map_new(wanted_free);
    p->by_labels = tw_map_new(bucket_free);
    p->held = tw_map_new(bucket_free);
    return p;
}

void tw_peers_free(tw_peers *p)
{
    if (!p)
        return;
    tw_map_free(p->wanted);
    tw_map_free(p->by_labels);
    tw_map_free(p->held);
    tw_free(p);
}

bool tw_peers_knows(const tw_inhibitor *by)
{
    for (uint32_t i = 0; i < by->equal_count; i++) {
        if (strcmp(by->equal[i], "severity") == 0) /* it may be the current level */
            return false;
    }
    return by->rule && by->equal_count > 0;
}

/* ---- buckets ----------------------------------------------------------------------- */

static void write_key(tw_buf *out, const char *rule, char *const *names, uint32_t count,
                      const tw_incident *inc)
{
    tw_buf_init(out, MAX_KEY_BYTES);
    tw_buf_add(out, rule, strlen(rule) + 1);
    for (uint32_t i = 0; i < count; i++) {
        const char *value = tw_incident_label(inc, names[i]);
        tw_buf_add(out, names[i], strlen(names[i]) + 1);
        tw_buf_add_char(out, value ? 1 : 0);
        tw_buf_add(out, value ? value : "", value ? strlen(value) + 1 : 1);
    }
}

static void remember(tw_incident *inc, tw_bucket *b, bool is_held)
{
    if (inc->seat_count == inc->seat_room) {
        inc->seat_room = inc->seat_room ? 2 * inc->seat_room : 2;
        inc->seats = tw_realloc(inc->seats, inc->seat_room * sizeof *inc->seats);
    }
    inc->seats[inc->seat_count++] = (tw_seat){b, b->count - 1, is_held};
}

static void sit_down(tw_map *buckets, const tw_buf *key, tw_incident *inc, bool is_held)
{
    tw_bucket *b = tw_map_get_n(buckets, key->data, key->len);

    if (!b) {
        b = tw_alloc(sizeof *b);
        b->key = tw_alloc(key->len);
        memcpy(b->key, key->data, key->len);
        b->key_len = key->len;
        tw_map_put_n(buckets, key->data, key->len, b);
    }
    if (b->count == b->room) {
        b->room = b->room ? 2 * b->room : 1;
        b->items = tw_realloc(b->items, b->room * sizeof *b->items);
    }
    b->items[b->count++] = inc;
    remember(inc, b, is_held);
}

/* The last of the bucket moves to the free place. */
static void stand_up(tw_map *buckets, const tw_seat *seat)
{
    tw_bucket *b = seat->bucket;
    tw_incident *last = b->items[--b->count];

    if (seat->place < b->count) {
        b->items[seat->place] = last;
        for (uint32_t i = 0; i < last->seat_count; i++) {
            if (last->seats[i].bucket == b && last->seats[i].place == b->count)
                last->seats[i].place = seat->place;
        }
    }
    if (b->count == 0)
        tw_map_remove_n(buckets, b->key, b->key_len);
}

/* ---- who has which labels ---------------------------------------------------------- */

static void enter_list(tw_peers *p, const label_list *list, tw_incident *inc)
{
    tw_buf key;

    write_key(&key, inc->rule->name, list->names, list->count, inc);
    sit_down(p->by_labels, &key, inc, false);
    tw_buf_done(&key);
}

static bool is_list(const label_list *list, const tw_inhibitor *by)
{
    if (list->count != by->equal_count)
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        if (strcmp(list->names[i], by->equal[i]) != 0)
            return false;
    }
    return true;
}

/* From now on incidents of that rule are found by these labels. */
static void want(const tw_incident *inc, const tw_inhibitor *by)
{
    tw_peers *p = inc->in->peers;
    wanted *w = tw_map_get(p->wanted, by->rule);

    if (!w) {
        w = tw_alloc(sizeof *w);
        tw_map_put(p->wanted, by->rule, w);
    }
    for (uint32_t i = 0; i < w->count; i++) {
        if (is_list(&w->lists[i], by))
            return;
    }
    w->lists = tw_realloc(w->lists, (w->count + 1) * sizeof *w->lists);
    label_list *list = &w->lists[w->count++];
    *list = (label_list){.names = tw_calloc(by->equal_count, sizeof(char *)),
                         .count = by->equal_count};
    for (uint32_t i = 0; i < by->equal_count; i++)
        list->names[i] = tw_strdup(by->equal[i]);
    const tw_course *course = tw_map_get(inc->in->courses, by->rule);
    for (tw_incident *other = course ? course->first : NULL; other; other = other->next) {
        if (other->labels)
            enter_list(p, list, other);
    }
}

void tw_peers_enter(tw_incident *inc)
{
    const wanted *w = tw_map_get(inc->in->peers->wanted, inc->rule->name);

    for (uint32_t i = 0; w && i < w->count; i++)
        enter_list(inc->in->peers, &w->lists[i], inc);
}

void tw_peers_leave(tw_incident *inc)
{
    tw_peers *p = inc->in->peers;

    for (uint32_t i = 0; i < inc->seat_count; i++)
        stand_up(inc->seats[i].is_held ? p->held : p->by_labels, &inc->seats[i]);
    tw_free(inc->seats);
    inc->seats = NULL;
    inc->seat_count = inc->seat_room = 0;
}

const tw_bucket *tw_peers_of(const tw_incident *inc, const tw_inhibitor *by)
{
    tw_buf key;

    want(inc, by);
    write_key(&key, by->rule, by->equal, by->equal_count, inc);
    const tw_bucket *b = tw_map_get_n(inc->in->peers->by_labels, key.data, key.len);
    tw_buf_done(&key);
    return b;
}

/* ---- who is held back -------------------------------------------------------------- */

void tw_peers_hold_back(tw_incident *inc)
{
    const tw_incident_plan *plan = &inc->rule->incident;

    inc->held_by_any = false;
    for (uint32_t i = 0; i < plan->inhibitor_count; i++) {
        const tw_inhibitor *by = &plan->inhibitors[i];
        tw_buf key;
        if (!tw_peers_knows(by)) {
            inc->held_by_any = true;
            continue;
        }
        want(inc, by);
        write_key(&key, by->rule, by->equal, by->equal_count, inc);
        sit_down(inc->in->peers->held, &key, inc, true);
        tw_buf_done(&key);
    }
    inc->in->held_by_any += inc->held_by_any;
}

void tw_peers_let_go(tw_incident *inc)
{
    uint32_t kept = 0;

    inc->in->held_by_any -= inc->held_by_any;
    inc->held_by_any = false;
    for (uint32_t i = 0; i < inc->seat_count; i++) {
        tw_seat seat = inc->seats[i];
        if (!seat.is_held)
            inc->seats[kept++] = seat;
        else
            stand_up(inc->in->peers->held, &seat);
    }
    inc->seat_count = kept;
}

void tw_peers_rule_changed(tw_incident *inc)
{
    if (inc->marks & TW_MARK_INHIBITED)
        tw_peers_let_go(inc);
    tw_peers_leave(inc);
    tw_peers_enter(inc);
    if (inc->marks & TW_MARK_INHIBITED)
        tw_peers_hold_back(inc);
}

void tw_peers_look_again(const tw_incident *inhibitor, int64_t at_ms)
{
    const tw_peers *p = inhibitor->in->peers;
    const wanted *w = tw_map_get(p->wanted, inhibitor->rule->name);

    for (uint32_t i = 0; w && i < w->count; i++) {
        tw_buf key;
        write_key(&key, inhibitor->rule->name, w->lists[i].names, w->lists[i].count,
                  inhibitor);
        const tw_bucket *b = tw_map_get_n(p->held, key.data, key.len);
        tw_buf_done(&key);
        for (uint32_t k = 0; b && k < b->count; k++)
            tw_wait_by(&b->items[k]->tell, at_ms);
    }
}
