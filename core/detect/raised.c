// SPDX-License-Identifier: Apache-2.0
/* Invariant: a key that is not among them, while they are all known, holds no incident. */
#include "detect/raised.h"

#include "base/mem.h"
#include "state/keyed.h"

struct tw_raised {
    tw_keyed *keys;
    uint32_t most;
    bool unknown; /* some key may be missing here */
};

/* What is known of a key: when it was last raised. */
static tw_keyed *new_keys(void)
{
    return tw_keyed_new(sizeof(int64_t));
}

tw_raised *tw_raised_new(uint32_t max_keys)
{
    tw_raised *r = tw_alloc(sizeof *r);

    *r = (tw_raised){.keys = new_keys(), .most = max_keys};
    return r;
}

void tw_raised_free(tw_raised *r)
{
    if (r) {
        tw_keyed_free(r->keys);
        tw_free(r);
    }
}

static void forget_all(tw_raised *r)
{
    tw_keyed_free(r->keys);
    r->keys = new_keys();
    r->unknown = true;
}

static void add(tw_raised *r, const tw_key *key, int64_t at_ms)
{
    uint32_t number = r->unknown ? TW_KEYED_NONE : tw_keyed_find(r->keys, key);

    if (r->unknown) {
        return;
    }
    if (number != TW_KEYED_NONE) {
        int64_t *raised_ms = tw_keyed_at(r->keys, number);
        *raised_ms = at_ms > *raised_ms ? at_ms : *raised_ms;
        return;
    }
    if (tw_keyed_count(r->keys) >= r->most) {
        forget_all(r);
        return;
    }
    *(int64_t *)tw_keyed_at(r->keys, tw_keyed_add(r->keys, key)) = at_ms;
}

static void remove_key(tw_raised *r, const tw_key *key)
{
    uint32_t number = tw_keyed_find(r->keys, key);

    if (number != TW_KEYED_NONE) {
        tw_keyed_remove(r->keys, number);
    }
}

static bool is_rise(const tw_signal *s)
{
    return s->level > s->from || s->from == TW_LEVEL_UNKNOWN;
}

/* A fall leaves the time of the rise; of a key whose end had been told it says that the key stands all the same, as
 * that of an incident that flaps. */
void tw_raised_note(tw_raised *r, const tw_signal *s)
{
    switch (s->kind) {
    case TW_SIGNAL_OCCURRENCE:
        add(r, &s->key, s->at_ms);
        break;
    case TW_SIGNAL_LEVEL:
        if (s->level == TW_LEVEL_OK) {
            remove_key(r, &s->key);
        } else if (is_rise(s) || tw_keyed_find(r->keys, &s->key) == TW_KEYED_NONE) {
            add(r, &s->key, s->at_ms);
        }
        break;
    case TW_SIGNAL_RESOLVE:
        remove_key(r, &s->key);
        break;
    case TW_SIGNAL_PENDING:
    case TW_SIGNAL_VALUE:
    case TW_SIGNAL_NEWS:
        break;
    }
}

bool tw_raised_end(tw_raised *r, const tw_key *key, int64_t at_ms)
{
    uint32_t number = tw_keyed_find(r->keys, key);

    if (number == TW_KEYED_NONE) {
        return r->unknown;
    }
    if (*(int64_t *)tw_keyed_at(r->keys, number) > at_ms) {
        return false;
    }
    tw_keyed_remove(r->keys, number);
    return true;
}

void tw_raised_adopt(tw_raised *r, tw_raised *old)
{
    if (!old) {
        r->unknown = true;
        return;
    }
    tw_keyed *empty = r->keys;
    r->keys = old->keys;
    old->keys = empty;
    r->unknown = old->unknown;
    if (tw_keyed_count(r->keys) > r->most) {
        forget_all(r);
    }
}

void tw_raised_save(const tw_raised *r, tw_buf *out)
{
    tw_state_put_u64(out, r->unknown);
    tw_state_put_u64(out, tw_keyed_count(r->keys));
    for (uint32_t n = tw_keyed_next(r->keys, TW_KEYED_NONE); n != TW_KEYED_NONE;
         n = tw_keyed_next(r->keys, n)) {
        uint32_t len;
        const uint8_t *bytes = tw_keyed_bytes(r->keys, n, &len);
        tw_state_put_bytes(out, bytes, len);
        tw_state_put_i64(out, *(int64_t *)tw_keyed_at(r->keys, n));
    }
}

int tw_raised_load(tw_raised *r, tw_state_in *in, tw_err *err)
{
    uint64_t unknown = 0, count = 0;
    const void *bytes;
    size_t len;
    bool good = tw_state_take_u64(in, &unknown) && tw_state_take_u64(in, &count);

    for (uint64_t n = 0; good && n < count; n++) {
        int64_t raised_ms;
        good = tw_state_take_bytes(in, &bytes, &len) && len <= TW_MAX_KEY_BYTES &&
               tw_state_take_i64(in, &raised_ms);
        if (good) {
            tw_key key = tw_key_from_bytes(bytes, (uint32_t)len);
            add(r, &key, raised_ms);
        }
    }
    r->unknown = r->unknown || unknown;
    return good ? TW_OK
                : tw_err_set(err, TW_EPARSE, "what is known of open keys is broken");
}

uint32_t tw_raised_count(const tw_raised *r)
{
    return tw_keyed_count(r->keys);
}
