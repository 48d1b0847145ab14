// SPDX-License-Identifier: Apache-2.0
/* What a handler's functions may do: named values and timers of the key at hand, firing and
 * resolving. Called on the lane's thread from inside a script call; owns nothing but what
 * hangs on the key, in blocks of the operator's slab.
 *
 * Invariant: value_bytes is the sum over the key's values and never above the rule's cap. */
#include <string.h>

#include "detect/handler_impl.h"

#define MAX_STEPS_BEHIND INT64_C(1000)

enum { VALUE_OVERHEAD = 16 }; /* what a value counts beside its name and text */

static handler *handler_of(tw_handler_host *host)
{
    return (handler *)(void *)((char *)host - offsetof(handler, host));
}

/* ---- items ---- */

static bool has_text(tw_value v)
{
    return v.type == TW_STRING || v.type == TW_DECIMAL || v.type == TW_JSON;
}

static uint32_t text_len(tw_value v)
{
    return has_text(v) ? v.len : 0;
}

uint32_t handler_item_cost(const handler_item *item)
{
    return VALUE_OVERHEAD + item->name_len + text_len(item->value);
}

handler_item *handler_item_new(handler *h, const char *name, tw_value v)
{
    size_t name_len = strlen(name), text = text_len(v);
    size_t bytes = sizeof(handler_item) + name_len + 1 + text;
    handler_item *item = tw_slab_take(h->slab, bytes);

    *item = (handler_item){.at_ms = INT64_MAX,
                           .value = v,
                           .name_len = (uint32_t)name_len,
                           .block_bytes = (uint32_t)bytes};
    memcpy(item->name, name, name_len + 1);
    if (has_text(v)) {
        item->value.s = item->name + name_len + 1;
        if (text > 0) {
            memcpy(item->name + name_len + 1, v.s, text);
        }
    }
    return item;
}

void handler_item_give(handler *h, handler_item *item)
{
    tw_slab_give(h->slab, item, item->block_bytes);
}

void handler_items_give(handler *h, handler_item **list)
{
    while (*list) {
        handler_item *item = *list;
        *list = item->next;
        handler_item_give(h, item);
    }
}

/* The link that leads to the item of a name, or to the end. */
static handler_item **item_link(handler_item **list, const char *name)
{
    while (*list && strcmp((*list)->name, name) != 0) {
        list = &(*list)->next;
    }
    return list;
}

/* ---- values ---- */

static bool is_expired(const handler *h, const handler_item *item)
{
    return h->ev ? item->at_ms < h->now_ms : item->at_ms <= h->now_ms;
}

static void value_remove(handler *h, handler_key *key, handler_item **link)
{
    handler_item *item = *link;

    *link = item->next;
    key->value_bytes -= handler_item_cost(item);
    handler_item_give(h, item);
}

static void remove_expired(handler *h, handler_key *key)
{
    for (handler_item **link = &key->values; *link;) {
        if (is_expired(h, *link)) {
            value_remove(h, key, link);
        } else {
            link = &(*link)->next;
        }
    }
}

/* The value's link, NULL when there is none or its time is over. */
static handler_item **value_link(handler *h, handler_key *key, const char *name)
{
    handler_item **link = item_link(&key->values, name);

    if (*link && is_expired(h, *link)) {
        value_remove(h, key, link);
        return NULL;
    }
    return *link ? link : NULL;
}

static tw_value host_get(tw_handler_host *host, const char *name)
{
    handler *h = handler_of(host);
    handler_item **link = value_link(h, handler_current(h), name);

    return link ? (*link)->value : tw_value_absent();
}

static int host_set(tw_handler_host *host, const char *name, tw_value v, tw_err *err)
{
    handler *h = handler_of(host);
    handler_key *key = handler_current(h);
    handler_item **link = value_link(h, key, name);
    int64_t at_ms = link ? (*link)->at_ms : INT64_MAX;
    size_t before = link ? handler_item_cost(*link) : 0;
    size_t cost = VALUE_OVERHEAD + strlen(name) + text_len(v);
    uint32_t most = h->rule->handler.max_state_bytes;

    if (v.type == TW_ABSENT || v.type == TW_NULL) {
        if (link) {
            value_remove(h, key, link);
        }
        return TW_OK;
    }
    if (key->value_bytes - before + cost > most) {
        remove_expired(h, key);
        link = value_link(h, key, name);
    }
    if (key->value_bytes - before + cost > most) {
        return tw_err_set(err, TW_ELIMIT, "state of one key would be above %u bytes",
                          most);
    }
    handler_item *item =
        handler_item_new(h, name, v); /* v may lie in the item it replaces */
    if (link) {
        value_remove(h, key, link);
    }
    item->at_ms = at_ms;
    item->next = key->values;
    key->values = item;
    key->value_bytes += handler_item_cost(item);
    return TW_OK;
}

static int64_t time_after(const handler *h, int64_t after_ms)
{
    int64_t at_ms;

    return __builtin_add_overflow(h->now_ms, after_ms, &at_ms) ? INT64_MAX - 1 : at_ms;
}

static int host_expire(tw_handler_host *host, const char *name, int64_t after_ms,
                       tw_err *err)
{
    handler *h = handler_of(host);
    handler_item **link = value_link(h, handler_current(h), name);

    if (!link) {
        return tw_err_set(err, TW_ENOTFOUND, "no state \"%s\" to expire", name);
    }
    (*link)->at_ms = after_ms < 0 ? INT64_MAX : time_after(h, after_ms);
    return TW_OK;
}

/* ---- timers ---- */

static bool timer_before(const handler_item *a, const handler_item *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : strcmp(a->name, b->name) < 0;
}

handler_item *handler_timer_take(handler_key *key)
{
    handler_item *item = key->timers;

    key->timers = item->next;
    key->timer_count--;
    return item;
}

/* A timer that sets itself again and again walks through a gap in time step by step, and nothing else goes
 * on meanwhile: what lies further back than so many of its steps is passed over, in whole steps. */
static int64_t step_over_gap(const handler *h, int64_t at_ms, int64_t after_ms)
{
    int64_t reach_ms, behind_ms;

    if (__builtin_mul_overflow(after_ms, MAX_STEPS_BEHIND, &reach_ms) ||
        __builtin_sub_overflow(h->until_ms, at_ms, &behind_ms) || behind_ms <= reach_ms)
        return at_ms;
    return at_ms + (behind_ms - reach_ms) / after_ms * after_ms;
}

static int host_timer(tw_handler_host *host, const char *name, int64_t after_ms,
                      tw_err *err)
{
    handler *h = handler_of(host);
    handler_key *key = handler_current(h);
    handler_item **link = item_link(&key->timers, name);
    handler_item *item = *link;

    if (item) {
        *link = item->next;
        key->timer_count--;
    }
    if (after_ms < 0) {
        if (item) {
            handler_item_give(h, item);
        }
        return TW_OK;
    }
    if (!item && key->timer_count >= h->rule->handler.max_timers) {
        return tw_err_set(err, TW_ELIMIT, "one key may have %u timers",
                          h->rule->handler.max_timers);
    }
    item = item ? item : handler_item_new(h, name, tw_value_absent());
    /* A timer that arms itself for now would never let the clock pass. */
    after_ms = !h->ev && after_ms == 0 ? 1 : after_ms;
    item->at_ms = time_after(h, after_ms);
    if (!h->ev) {
        item->at_ms = step_over_gap(h, item->at_ms, after_ms);
    }
    for (link = &key->timers; *link && timer_before(*link, item);) {
        link = &(*link)->next;
    }
    item->next = *link;
    *link = item;
    key->timer_count++;
    return TW_OK;
}

/* ---- telling ---- */

static int64_t host_now(tw_handler_host *host)
{
    return handler_of(host)->now_ms;
}

static int read_severity(const handler *h, json_t *options, tw_level *out, tw_err *err)
{
    json_t *text = json_object_get(options, "severity");

    *out = h->rule->incident.severity;
    if (!text) {
        return TW_OK;
    }
    for (int lv = TW_LEVEL_INFO; json_is_string(text) && lv <= TW_LEVEL_CRIT; lv++) {
        if (strcmp(json_string_value(text), tw_level_name((tw_level)lv)) == 0) {
            *out = (tw_level)lv;
            return TW_OK;
        }
    }
    return tw_err_set(err, TW_EINVAL, "severity must be \"info\", \"warn\" or \"crit\"");
}

static bool may_fire(handler *h)
{
    tw_result nothing = {.count = 0};
    int fn = h->rule->incident.when_fn;
    bool agrees = false;

    if (fn == TW_NO_FN || !h->rule->incident.set) {
        return true;
    }
    return h->env.script->cls->test_result(h->env.script, fn, &nothing, &agrees) == 0 &&
           agrees;
}

static int host_fire(tw_handler_host *host, json_t *options, tw_err *err)
{
    handler *h = handler_of(host);
    handler_key *key = handler_current(h);
    int64_t after_ms = h->rule->incident.resolve_after_ms;
    tw_level severity;
    int rc = read_severity(h, options, &severity, err);

    if (rc < 0 || !may_fire(h)) {
        return rc;
    }
    key->open_until_ms = INT64_MAX;
    if (after_ms >= 0 &&
        __builtin_add_overflow(h->at_ms, after_ms, &key->open_until_ms)) {
        key->open_until_ms = INT64_MAX;
    }
    handler_signal(h, TW_SIGNAL_OCCURRENCE, severity, options, NULL);
    return TW_OK;
}

static int host_resolve(tw_handler_host *host, tw_err *err)
{
    handler *h = handler_of(host);

    (void)err;
    handler_current(h)->open_until_ms = INT64_MIN;
    handler_signal(h, TW_SIGNAL_RESOLVE, TW_LEVEL_OK, NULL, NULL);
    return TW_OK;
}

const struct tw_handler_host_class handler_host_class = {
    .now = host_now,
    .get = host_get,
    .set = host_set,
    .expire = host_expire,
    .timer = host_timer,
    .fire = host_fire,
    .resolve = host_resolve,
};
