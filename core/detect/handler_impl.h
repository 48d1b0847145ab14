// SPDX-License-Identifier: Apache-2.0
/* The handler operator's insides, shared by handler*.c. */
#ifndef TW_DETECT_HANDLER_IMPL_H
#define TW_DETECT_HANDLER_IMPL_H

#include "base/clock.h"
#include "detect/carry.h"
#include "detect/handler.h"
#include "state/timers.h"

/* One named thing of a key: a value or a timer. In one block: this, the name, a zero byte,
 * the value's text. */
typedef struct handler_item {
    struct handler_item *next;
    int64_t
        at_ms; /* value: last moment it is there, INT64_MAX for ever; timer: deadline */
    tw_value value;
    uint32_t name_len, block_bytes;
    char name[];
} handler_item;

typedef struct handler_key {
    int64_t newest_ms;
    int64_t open_until_ms; /* something fired is open until then; INT64_MIN: nothing */
    tw_timer timer;
    handler_item *values, *timers; /* timers in order of (deadline, name) */
    tw_carried *carried, *carried_first;
    uint32_t value_bytes, timer_count;
    tw_origin origin; /* of the newest event */
} handler_key;

typedef struct handler {
    tw_detector base;
    tw_handler_host host; /* what scripts are handed during a call */
    tw_rule *rule;
    tw_detect_env env;
    tw_slab *slab;
    tw_keyed *keys;
    tw_timers *wheel;
    tw_value *absent;
    int64_t clock_ms; /* the last the lane told */
    /* the call in progress */
    int64_t until_ms;   /* how far the timers that fire now are behind: up to here */
    const tw_event *ev; /* NULL in a timer's call */
    uint32_t number;
    int64_t now_ms; /* what the script takes for now */
    int64_t at_ms;  /* when it is decided: not before the clock */
} handler;

static inline handler_key *handler_current(handler *h)
{
    return tw_keyed_at(h->keys, h->number);
}

/* handler_state.c */
extern const struct tw_handler_host_class handler_host_class;
void handler_items_give(handler *h, handler_item **list);
/* Takes the first timer out of the list; give it back with handler_item_give. */
handler_item *handler_timer_take(handler_key *key);
void handler_item_give(handler *h, handler_item *item);
handler_item *handler_item_new(handler *h, const char *name, tw_value v);
uint32_t handler_item_cost(const handler_item *item); /* towards max_state_bytes */

/* handler.c */
void handler_signal(handler *h, tw_signal_kind kind, tw_level lv, json_t *options,
                    const char *reason);
/* A key that is not there; it is the current one then. */
void handler_key_add(handler *h, const tw_key *key, int64_t time_ms);
/* When the clock must act on a key next. */
int64_t handler_key_next(const handler *h, const handler_key *k);

/* handler_keep.c */
void handler_save(const tw_detector *base, tw_buf *out);
int handler_load(tw_detector *base, tw_state_in *in, tw_err *err);

#endif
