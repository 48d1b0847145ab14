// SPDX-License-Identifier: Apache-2.0
#include "state/due.h"

#include <string.h>

#include "base/mem.h"

void tw_due_done(tw_due *d)
{
    tw_free(d->items);
    d->items = NULL;
    d->count = d->room = 0;
}

static tw_due_item item_of(const tw_due *d, uint32_t number, uint64_t at)
{
    uint32_t len;
    const uint8_t *bytes = tw_keyed_bytes(d->keys, number, &len);
    uint8_t start[16] = {0};
    tw_due_item item = {.at = at, .number = number};

    if (len > 0) {
        memcpy(start, bytes, len < sizeof start ? len : sizeof start);
    }
    for (int n = 0; n < 16; n++) {
        item.prefix[n / 8] = item.prefix[n / 8] << 8 | start[n];
    }
    return item;
}

static bool item_before(const tw_due *d, const tw_due_item *a, const tw_due_item *b)
{
    if (a->at != b->at) {
        return a->at < b->at;
    }
    if (a->prefix[0] != b->prefix[0]) {
        return a->prefix[0] < b->prefix[0];
    }
    if (a->prefix[1] != b->prefix[1]) {
        return a->prefix[1] < b->prefix[1];
    }
    return tw_keyed_compare(d->keys, a->number, b->number) < 0;
}

static void sink(tw_due *d, uint32_t at, tw_due_item item)
{
    for (uint32_t child; (child = 2 * at + 1) < d->count; at = child) {
        if (child + 1 < d->count &&
            item_before(d, &d->items[child + 1], &d->items[child])) {
            child++;
        }
        if (!item_before(d, &d->items[child], &item)) {
            break;
        }
        d->items[at] = d->items[child];
    }
    d->items[at] = item;
}

void tw_due_append(tw_due *d, uint32_t number, uint64_t at)
{
    if (d->count == d->room) {
        d->room = d->room > 0 ? d->room * 2 : 16;
        d->items = tw_realloc(d->items, d->room * sizeof *d->items);
    }
    d->items[d->count++] = item_of(d, number, at);
}

void tw_due_order(tw_due *d)
{
    for (uint32_t n = d->count / 2; n-- > 0;) {
        sink(d, n, d->items[n]);
    }
}

void tw_due_push(tw_due *d, uint32_t number, uint64_t when)
{
    tw_due_append(d, number, when);
    tw_due_item item = d->items[d->count - 1];
    uint32_t at = d->count - 1;

    for (; at > 0 && item_before(d, &item, &d->items[(at - 1) / 2]); at = (at - 1) / 2) {
        d->items[at] = d->items[(at - 1) / 2];
    }
    d->items[at] = item;
}

void tw_due_drop(tw_due *d)
{
    tw_due_item last = d->items[--d->count];

    if (d->count > 0) {
        sink(d, 0, last);
    }
}
