// SPDX-License-Identifier: Apache-2.0
/* Invariant: an incident is in one bucket of `by_labels` for each list of labels that an inhibitor naming its rule,
 * or none, looks at, and, while it is inhibited, in one of `held` for each of its own inhibitors. A bucket has somebody
 * in it.
 *
 * A list is the labels of `equal`, then those of `match`. Key of a bucket: rule ("": any), NUL, then for each label its
 * name, NUL, 1 and its value, or 0, and NUL. The value of an inhibitor's key is for `equal` the label of the incident it
 * may hold back, for `match` what is written there. */
#include "alert/peers.h"

#include <string.h>

#include "base/mem.h"

#define MAX_KEY_BYTES (16u << 20)

typedef struct label_list {
    char **names;
    uint32_t count;
    bool has_severity; /* which may be the current level */
} label_list;

/* What inhibitors that name a rule, or none, look at. */
typedef struct wanted {
    label_list *lists;
    uint32_t count;
} wanted;

struct tw_peers {
    tw_map *wanted;    /* rule, "": any -> wanted, owns */
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
        if (strcmp(by->equal[i], "severity") == 0) /* of the one that is held back */
            return false;
    }
    return true;
}

/* ---- buckets ----------------------------------------------------------------------- */

static void begin_key(tw_buf *out, const char *rule)
{
    tw_buf_init(out, MAX_KEY_BYTES);
    tw_buf_add(out, rule ? rule : "", rule ? strlen(rule) + 1 : 1);
}

static void add_label(tw_buf *out, const char *name, const char *value)
{
    tw_buf_add(out, name, strlen(name) + 1);
    tw_buf_add_char(out, value ? 1 : 0);
    tw_buf_add(out, value ? value : "", value ? strlen(value) + 1 : 1);
}

/* A label as it was when the incident stood at that level. */
static const char *label_at(const tw_incident *inc, const char *name, tw_level level)
{
    if (strcmp(name, "severity") == 0 && !json_object_get(inc->labels, name))
        return tw_level_name(level);
    return tw_incident_label(inc, name);
}

/* Of one that may inhibit. */
static void write_own_key(tw_buf *out, const char *rule, const label_list *list,
                          const tw_incident *inc, tw_level level)
{
    begin_key(out, rule);
    for (uint32_t i = 0; i < list->count; i++)
        add_label(out, list->names[i], label_at(inc, list->names[i], level));
}

/* Of those that may inhibit this one. */
static void write_key_of(tw_buf *out, const tw_inhibitor *by, const tw_incident *inc)
{
    begin_key(out, by->rule);
    for (uint32_t i = 0; i < by->equal_count; i++)
        add_label(out, by->equal[i], tw_incident_label(inc, by->equal[i]));
    for (uint32_t i = 0; i < by->match_count; i++)
        add_label(out, by->match[i].name, by->match[i].value);
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

static void enter_list(tw_peers *p, const char *rule, const label_list *list,
                       tw_incident *inc)
{
    tw_buf key;

    write_own_key(&key, rule, list, inc, inc->level);
    sit_down(p->by_labels, &key, inc, false);
    tw_buf_done(&key);
}

static const char *name_at(const tw_inhibitor *by, uint32_t i)
{
    return i < by->equal_count ? by->equal[i] : by->match[i - by->equal_count].name;
}

static bool is_list(const label_list *list, const tw_inhibitor *by)
{
    if (list->count != by->equal_count + by->match_count)
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        if (strcmp(list->names[i], name_at(by, i)) != 0)
            return false;
    }
    return true;
}

static label_list list_of(const tw_inhibitor *by)
{
    label_list list = {.count = by->equal_count + by->match_count};

    list.names = tw_calloc(list.count + 1, sizeof(char *));
    for (uint32_t i = 0; i < list.count; i++) {
        list.names[i] = tw_strdup(name_at(by, i));
        list.has_severity = list.has_severity || strcmp(list.names[i], "severity") == 0;
    }
    return list;
}

static void enter_all(tw_incidents *in, const char *rule, const label_list *list)
{
    const char *id;
    void *value;

    for (size_t i = 0; tw_map_next(in->by_id, &i, &id, &value);) {
        tw_incident *other = value;
        if (other->labels && (!rule || strcmp(rule, other->rule->name) == 0))
            enter_list(in->peers, rule, list, other);
    }
}

/* From now on incidents of that rule are found by these labels. */
static void want(const tw_incident *inc, const tw_inhibitor *by)
{
    tw_peers *p = inc->in->peers;
    const char *rule = by->rule ? by->rule : "";
    wanted *w = tw_map_get(p->wanted, rule);

    if (!w) {
        w = tw_alloc(sizeof *w);
        tw_map_put(p->wanted, rule, w);
    }
    for (uint32_t i = 0; i < w->count; i++) {
        if (is_list(&w->lists[i], by))
            return;
    }
    w->lists = tw_realloc(w->lists, (w->count + 1) * sizeof *w->lists);
    w->lists[w->count++] = list_of(by);
    enter_all(inc->in, by->rule, &w->lists[w->count - 1]);
}

static void enter_wanted(tw_incident *inc, const char *rule)
{
    tw_peers *p = inc->in->peers;
    const wanted *w = tw_map_get(p->wanted, rule ? rule : "");

    for (uint32_t i = 0; w && i < w->count; i++)
        enter_list(p, rule, &w->lists[i], inc);
}

void tw_peers_enter(tw_incident *inc)
{
    enter_wanted(inc, inc->rule->name);
    enter_wanted(inc, NULL);
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
    write_key_of(&key, by, inc);
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
        write_key_of(&key, by, inc);
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

static void sit_anew(tw_incident *inc)
{
    if (inc->marks & TW_MARK_INHIBITED)
        tw_peers_let_go(inc);
    tw_peers_leave(inc);
    tw_peers_enter(inc);
    if (inc->marks & TW_MARK_INHIBITED)
        tw_peers_hold_back(inc);
}

void tw_peers_rule_changed(tw_incident *inc)
{
    sit_anew(inc);
}

static bool severity_counts(const tw_incident *inc, const char *rule)
{
    const wanted *w = tw_map_get(inc->in->peers->wanted, rule);

    for (uint32_t i = 0; w && i < w->count; i++) {
        if (w->lists[i].has_severity)
            return true;
    }
    return false;
}

void tw_peers_level_changed(tw_incident *inc)
{
    if (severity_counts(inc, inc->rule->name) || severity_counts(inc, ""))
        sit_anew(inc);
}

static void look_again(const tw_incident *inhibitor, const char *rule, tw_level before,
                       int64_t at_ms)
{
    const tw_peers *p = inhibitor->in->peers;
    const wanted *w = tw_map_get(p->wanted, rule ? rule : "");

    for (uint32_t i = 0; w && i < w->count; i++) {
        tw_buf key;
        if (inhibitor->level > before && !w->lists[i].has_severity)
            continue;
        write_own_key(&key, rule, &w->lists[i], inhibitor, before);
        const tw_bucket *b = tw_map_get_n(p->held, key.data, key.len);
        tw_buf_done(&key);
        for (uint32_t k = 0; b && k < b->count; k++)
            tw_wait_by(&b->items[k]->tell, at_ms);
    }
}

void tw_peers_look_again(const tw_incident *inhibitor, tw_level before, int64_t at_ms)
{
    look_again(inhibitor, inhibitor->rule->name, before, at_ms);
    look_again(inhibitor, NULL, before, at_ms);
}
