// SPDX-License-Identifier: Apache-2.0
/* The store; see context.h. Owns entities and entries.
 *
 * Invariant: an entity has at least one entry, an entry as many references as entities that list it, lists
 * are in order, and entities stand in the line in the order in which something was last noted of them. */
#include "context/context.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "context/context_impl.h"

#define ENTITY_BYTES 200 /* about what one takes beside its entries */

/* ---- entries ----------------------------------------------------------------------- */

size_t tw_entity_name(const tw_entity *e, char *out)
{
    if (e->name_len == 0 || e->name_len > 255 || e->value_len == 0 ||
        e->value_len > TW_CONTEXT_VALUE_BYTES)
        return 0;
    memcpy(out, e->name, e->name_len);
    out[e->name_len] = '=';
    memcpy(out + e->name_len + 1, e->value, e->value_len);
    return e->name_len + 1 + e->value_len;
}

static char *put_part(char *to, const char *text, size_t n)
{
    *to++ = (char)(unsigned char)n;
    memcpy(to, text, n);
    return to + n;
}

tw_kept_entry *tw_kept_entry_new(const tw_context_entry *from)
{
    char name[TW_CONTEXT_NAME_BYTES];
    uint32_t pair_len = 0;

    for (uint32_t i = 0; i < from->entity_count; i++)
        if (tw_entity_name(&from->entities[i], name))
            pair_len +=
                (uint32_t)(2 + from->entities[i].name_len + from->entities[i].value_len);
    tw_kept_entry *e = tw_alloc(sizeof *e + pair_len + from->text_len);
    *e = (tw_kept_entry){.refs = 1,
                         .kind = from->kind,
                         .time_ms = from->time_ms,
                         .origin = from->origin,
                         .pair_len = pair_len,
                         .text_len = (uint32_t)from->text_len};
    char *to = e->bytes;
    for (uint32_t i = 0; i < from->entity_count; i++) {
        const tw_entity *x = &from->entities[i];
        if (!tw_entity_name(x, name))
            continue;
        to = put_part(to, x->name, x->name_len);
        to = put_part(to, x->value, x->value_len);
    }
    memcpy(to, from->text, from->text_len);
    return e;
}

bool tw_kept_entry_next(const tw_kept_entry *e, uint32_t *io_at, tw_entity *out)
{
    const char *p = e->bytes + *io_at;

    if (*io_at >= e->pair_len)
        return false;
    out->name_len = (unsigned char)*p++;
    out->name = p;
    p += out->name_len;
    out->value_len = (unsigned char)*p++;
    out->value = p;
    *io_at = (uint32_t)(p + out->value_len - e->bytes);
    return true;
}

static size_t entry_bytes(const tw_kept_entry *e)
{
    return sizeof *e + e->pair_len + e->text_len;
}

void tw_kept_entry_count(tw_context *c, tw_kept_entry *e)
{
    c->kinds[e->kind].bytes += entry_bytes(e);
    c->kinds[e->kind].held++;
}

void tw_kept_entry_unref(tw_context *c, tw_kept_entry *e)
{
    if (--e->refs > 0)
        return;
    c->kinds[e->kind].bytes -= entry_bytes(e);
    c->kinds[e->kind].held--;
    tw_free(e);
}

static int compare_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int tw_kept_entry_compare(const tw_kept_entry *a, const tw_kept_entry *b)
{
    int order = compare_i64(a->time_ms, b->time_ms);

    if (order == 0 && a->kind == TW_CONTEXT_ALERTS)
        return (a->number > b->number) - (a->number < b->number);
    if (order == 0)
        order =
            (a->origin.stream > b->origin.stream) - (a->origin.stream < b->origin.stream);
    if (order == 0)
        order = (a->origin.partition > b->origin.partition) -
                (a->origin.partition < b->origin.partition);
    if (order == 0)
        order = compare_i64(a->origin.offset, b->origin.offset);
    return order ? order
                 : (a->origin.index > b->origin.index) -
                       (a->origin.index < b->origin.index);
}

/* Whatever sent it twice, it happened once. */
static bool is_same(const tw_kept_entry *a, const tw_kept_entry *b)
{
    return a->kind == TW_CONTEXT_CHANGES && a->time_ms == b->time_ms &&
           a->origin.stream == b->origin.stream && a->pair_len == b->pair_len &&
           a->text_len == b->text_len &&
           memcmp(a->bytes, b->bytes, a->pair_len + a->text_len) == 0;
}

/* ---- entities ---------------------------------------------------------------------- */

static void leave_line(tw_kept_kind *k, tw_kept_entity *x)
{
    *(x->before ? &x->before->behind : &k->oldest) = x->behind;
    *(x->behind ? &x->behind->before : &k->newest) = x->before;
    x->before = x->behind = NULL;
}

static void enter_line(tw_kept_kind *k, tw_kept_entity *x)
{
    x->before = k->newest;
    *(k->newest ? &k->newest->behind : &k->oldest) = x;
    k->newest = x;
}

static uint64_t entity_free(tw_context *c, tw_kept_entity *x)
{
    tw_kept_kind *k = &c->kinds[x->kind];
    uint64_t entries = x->list.count;

    for (uint32_t i = 0; i < x->list.count; i++)
        tw_kept_entry_unref(c, x->list.items[i]);
    tw_free(x->list.items);
    leave_line(k, x);
    k->bytes -= ENTITY_BYTES + x->name_len;
    tw_map_remove_n(k->entities, x->name, x->name_len);
    tw_free(x->name);
    tw_free(x);
    return entries;
}

static void let_go(tw_context *c, tw_counter *why, uint64_t n)
{
    c->let_go += n;
    if (why)
        tw_count(why, n);
}

tw_kept_entity *tw_kept_entity_of(tw_context *c, tw_context_kind kind, const char *name,
                                  size_t n)
{
    tw_kept_kind *k = &c->kinds[kind];
    tw_kept_entity *x = tw_map_get_n(k->entities, name, n);

    if (x) {
        leave_line(k, x);
        enter_line(k, x);
        return x;
    }
    while (tw_map_count(k->entities) >= c->limits.entities)
        let_go(c, c->gone_entities, entity_free(c, k->oldest));
    x = tw_alloc(sizeof *x);
    *x = (tw_kept_entity){.kind = kind,
                          .name = tw_strndup(name, n),
                          .name_len = n,
                          .newest_ms = TW_TIME_NONE};
    k->bytes += ENTITY_BYTES + n;
    tw_map_put_n(k->entities, name, n, x);
    enter_line(k, x);
    return x;
}

/* ---- lists ------------------------------------------------------------------------- */

static void drop_first(tw_context *c, tw_kept_list *l, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        tw_kept_entry_unref(c, l->items[i]);
    l->count -= n;
    memmove(l->items, l->items + n, l->count * sizeof(tw_kept_entry *));
}

static void drop_aged(tw_context *c, tw_kept_list *l)
{
    uint32_t n = 0;

    if (c->newest_ms == TW_TIME_NONE)
        return;
    while (n < l->count && l->items[n]->time_ms < c->newest_ms - c->limits.age_ms)
        n++;
    if (n > 0) {
        drop_first(c, l, n);
        let_go(c, c->gone_age, n);
    }
}

static bool has_same(const tw_kept_list *l, uint32_t at, const tw_kept_entry *e)
{
    for (uint32_t i = at; i < l->count && l->items[i]->time_ms == e->time_ms; i++)
        if (is_same(l->items[i], e))
            return true;
    for (uint32_t i = at; i > 0 && l->items[i - 1]->time_ms == e->time_ms; i--)
        if (is_same(l->items[i - 1], e))
            return true;
    return false;
}

void tw_kept_entity_insert(tw_context *c, tw_kept_entity *x, tw_kept_entry *e)
{
    tw_kept_list *l = &x->list;
    uint32_t at = l->count;

    while (at > 0 && tw_kept_entry_compare(e, l->items[at - 1]) < 0)
        at--;
    if (has_same(l, at, e))
        return;
    if (l->count == c->limits.entries) {
        let_go(c, c->gone_entries, 1);
        if (at == 0)
            return;
        drop_first(c, l, 1);
        at--;
    }
    if (l->count == l->room) {
        l->room = l->room ? 2 * l->room : 2;
        l->items = tw_realloc(l->items, l->room * sizeof(tw_kept_entry *));
    }
    memmove(l->items + at + 1, l->items + at, (l->count - at) * sizeof(tw_kept_entry *));
    l->items[at] = e;
    l->count++;
    e->refs++;
}

/* ---- bounds ------------------------------------------------------------------------ */

/* The line is by when something was noted, which is near enough to how old it is. */
static void drop_aged_entities(tw_context *c, const tw_kept_kind *k)
{
    while (k->oldest && c->newest_ms != TW_TIME_NONE &&
           k->oldest->newest_ms < c->newest_ms - c->limits.age_ms)
        let_go(c, c->gone_age, entity_free(c, k->oldest));
}

static size_t all_bytes(const tw_context *c)
{
    return c->kinds[TW_CONTEXT_CHANGES].bytes + c->kinds[TW_CONTEXT_ALERTS].bytes;
}

static void keep_bounds(tw_context *c)
{
    tw_kept_kind *changes = &c->kinds[TW_CONTEXT_CHANGES],
                 *alerts = &c->kinds[TW_CONTEXT_ALERTS];

    drop_aged_entities(c, changes);
    drop_aged_entities(c, alerts);
    while (all_bytes(c) > c->limits.bytes) {
        const tw_kept_kind *larger = alerts->bytes > changes->bytes ? alerts : changes;
        let_go(c, c->gone_bytes, entity_free(c, larger->oldest));
    }
}

static void set_gauges(tw_context *c)
{
    if (!c->byte_gauge)
        return;
    for (int k = 0; k < 2; k++) {
        tw_gauge_set(c->entity_gauges[k], (int64_t)tw_map_count(c->kinds[k].entities));
        tw_gauge_set(c->entry_gauges[k], (int64_t)c->kinds[k].held);
    }
    tw_gauge_set(c->byte_gauge, (int64_t)all_bytes(c));
}

void tw_context_settle(tw_context *c)
{
    keep_bounds(c);
    set_gauges(c);
}

static void keep(tw_context *c, tw_kept_entry *e)
{
    char name[TW_CONTEXT_NAME_BYTES];
    tw_entity pair;

    tw_kept_entry_count(c, e);
    if (e->kind == TW_CONTEXT_CHANGES && e->time_ms > c->newest_ms)
        c->newest_ms = e->time_ms;
    for (uint32_t at = 0; tw_kept_entry_next(e, &at, &pair);) {
        size_t n = tw_entity_name(&pair, name);
        tw_kept_entity *x = tw_kept_entity_of(c, e->kind, name, n);
        if (e->time_ms > x->newest_ms)
            x->newest_ms = e->time_ms;
        drop_aged(c, &x->list);
        tw_kept_entity_insert(c, x, e);
    }
    tw_kept_entry_unref(c, e);
    tw_context_settle(c);
}

/* ---- notes ------------------------------------------------------------------------- */

void tw_context_note(tw_context *c, const tw_context_entry *entry)
{
    char name[TW_CONTEXT_NAME_BYTES];
    bool any = false;

    for (uint32_t i = 0; i < entry->entity_count; i++)
        any = any || tw_entity_name(&entry->entities[i], name) > 0;
    if (!any)
        return;
    pthread_mutex_lock(&c->lock);
    bool aged =
        c->newest_ms != TW_TIME_NONE && entry->time_ms < c->newest_ms - c->limits.age_ms;
    if (aged || entry->text_len > TW_CONTEXT_TEXT_BYTES) {
        let_go(c, aged ? c->gone_age : c->gone_text, 1);
    } else {
        tw_kept_entry *e = tw_kept_entry_new(entry);
        e->number = ++c->number;
        keep(c, e);
    }
    pthread_mutex_unlock(&c->lock);
}

void tw_context_count(tw_context *c, tw_context_counts *out)
{
    pthread_mutex_lock(&c->lock);
    *out = (tw_context_counts){
        .entities = tw_map_count(c->kinds[TW_CONTEXT_CHANGES].entities),
        .changes = c->kinds[TW_CONTEXT_CHANGES].held,
        .alerted = tw_map_count(c->kinds[TW_CONTEXT_ALERTS].entities),
        .alerts = c->kinds[TW_CONTEXT_ALERTS].held,
        .bytes = all_bytes(c),
        .let_go = c->let_go};
    pthread_mutex_unlock(&c->lock);
}

/* ---- life -------------------------------------------------------------------------- */

static tw_counter *gone(tw_stats *stats, const char *why)
{
    const char *labels[] = {"reason", why, NULL};

    return tw_stats_counter(stats, "context_forgotten_total",
                            "Remembered changes and alerts that had to go, and why.",
                            labels);
}

static void register_stats(tw_context *c, tw_stats *stats)
{
    static const char *const kinds[] = {"changes", "alerts"};

    for (int k = 0; k < 2; k++) {
        const char *labels[] = {"kind", kinds[k], NULL};
        c->entity_gauges[k] =
            tw_stats_gauge(stats, "context_entities",
                           "Things of which something is remembered.", labels);
        c->entry_gauges[k] = tw_stats_gauge(
            stats, "context_entries", "Changes and alerts that are remembered.", labels);
    }
    c->byte_gauge =
        tw_stats_gauge(stats, "context_bytes", "Memory of what is remembered.", NULL);
    c->gone_entities = gone(stats, "entities");
    c->gone_entries = gone(stats, "entries");
    c->gone_bytes = gone(stats, "memory");
    c->gone_age = gone(stats, "age");
    c->gone_text = gone(stats, "size");
    set_gauges(c);
}

tw_context *tw_context_new(const tw_context_limits *limits, const tw_streams *streams,
                           tw_stats *stats)
{
    tw_context *c = tw_alloc(sizeof *c);

    c->limits = limits->entities ? *limits : (tw_context_limits)TW_CONTEXT_LIMITS_DEFAULT;
    c->streams = streams;
    c->kinds[TW_CONTEXT_CHANGES].entities = tw_map_new(NULL);
    c->kinds[TW_CONTEXT_ALERTS].entities = tw_map_new(NULL);
    c->newest_ms = TW_TIME_NONE;
    pthread_mutex_init(&c->lock, NULL);
    if (stats)
        register_stats(c, stats);
    return c;
}

void tw_context_free(tw_context *c)
{
    if (!c)
        return;
    for (int k = 0; k < 2; k++) {
        while (c->kinds[k].oldest)
            entity_free(c, c->kinds[k].oldest);
        tw_map_free(c->kinds[k].entities);
    }
    pthread_mutex_destroy(&c->lock);
    tw_free(c);
}
