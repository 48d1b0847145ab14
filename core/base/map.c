// SPDX-License-Identifier: Apache-2.0
/* A hash table of slots that point into a list of entries in insertion order. One thread.
 * The map owns its key copies and, through free_value, its values.
 *
 *   slots    [ 0 | 3 | 0 | 1 | 2 | 0 | 0 | 0 ]      0 = empty, else entry number + 1
 *   entries  [ a ][ b ][ c ]                         a removed entry keeps its slot, key
 * NULL
 *
 * Invariant: slots are at least twice the entries, so probing always meets an empty slot.
 */
#include "base/map.h"

#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

typedef struct entry {
    char *key; /* NULL once removed */
    size_t key_len;
    uint64_t hash;
    void *value;
} entry;

struct tw_map {
    entry *entries;
    uint32_t *slots;
    size_t used, cap, live; /* entries: filled, allocated, not removed */
    void (*free_value)(void *);
};

tw_map *tw_map_new(void (*free_value)(void *))
{
    tw_map *m = tw_alloc(sizeof *m);
    m->free_value = free_value;
    return m;
}

static void drop_value(tw_map *m, void *value)
{
    if (m->free_value && value)
        m->free_value(value);
}

void tw_map_free(tw_map *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->used; i++) {
        if (!m->entries[i].key)
            continue;
        drop_value(m, m->entries[i].value);
        tw_free(m->entries[i].key);
    }
    tw_free(m->entries);
    tw_free(m->slots);
    tw_free(m);
}

static entry *find(const tw_map *m, const void *key, size_t n, uint64_t hash)
{
    if (!m->cap)
        return NULL;
    size_t mask = m->cap * 2 - 1;
    for (size_t i = hash & mask; m->slots[i]; i = (i + 1) & mask) {
        entry *e = &m->entries[m->slots[i] - 1];
        if (e->key && e->hash == hash && e->key_len == n &&
            (n == 0 || memcmp(e->key, key, n) == 0))
            return e;
    }
    return NULL;
}

void *tw_map_get(const tw_map *m, const char *key)
{
    return tw_map_get_n(m, key, strlen(key));
}

void *tw_map_get_n(const tw_map *m, const void *key, size_t n)
{
    entry *e = find(m, key, n, tw_hash(key, n));
    return e ? e->value : NULL;
}

static void enter_slot(tw_map *m, size_t index)
{
    size_t mask = m->cap * 2 - 1;
    size_t i = m->entries[index].hash & mask;
    while (m->slots[i])
        i = (i + 1) & mask;
    m->slots[i] = (uint32_t)(index + 1);
}

/* Close the gaps that removed entries left, grow when that is not enough, index anew. */
static void make_room(tw_map *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->used; i++)
        if (m->entries[i].key)
            m->entries[kept++] = m->entries[i];
    m->used = kept;
    if (kept >= m->cap / 2)
        m->cap = m->cap ? m->cap * 2 : 8;
    m->entries = tw_realloc(m->entries, m->cap * sizeof *m->entries);
    tw_free(m->slots);
    m->slots = tw_calloc(m->cap * 2, sizeof *m->slots);
    for (size_t i = 0; i < kept; i++)
        enter_slot(m, i);
}

void tw_map_put(tw_map *m, const char *key, void *value)
{
    tw_map_put_n(m, key, strlen(key), value);
}

void tw_map_put_n(tw_map *m, const void *key, size_t n, void *value)
{
    uint64_t hash = tw_hash(key, n);
    entry *e = find(m, key, n, hash);
    if (e) {
        void *old = e->value;
        e->value = value;
        if (old != value)
            drop_value(m, old);
        return;
    }
    if (m->used == m->cap)
        make_room(m);
    m->entries[m->used] =
        (entry){.key = tw_strndup(key, n), .key_len = n, .hash = hash, .value = value};
    enter_slot(m, m->used++);
    m->live++;
}

static void *unlink_entry(tw_map *m, entry *e)
{
    void *value = e->value;
    tw_free(e->key);
    e->key = NULL;
    e->value = NULL;
    m->live--;
    return value;
}

void *tw_map_take(tw_map *m, const char *key)
{
    size_t n = strlen(key);
    entry *e = find(m, key, n, tw_hash(key, n));
    return e ? unlink_entry(m, e) : NULL;
}

bool tw_map_remove(tw_map *m, const char *key)
{
    return tw_map_remove_n(m, key, strlen(key));
}

bool tw_map_remove_n(tw_map *m, const void *key, size_t n)
{
    entry *e = find(m, key, n, tw_hash(key, n));
    if (!e)
        return false;
    drop_value(m, unlink_entry(m, e));
    return true;
}

size_t tw_map_count(const tw_map *m)
{
    return m->live;
}

bool tw_map_next(const tw_map *m, size_t *i, const char **out_key, void **out_value)
{
    while (*i < m->used && !m->entries[*i].key)
        ++*i;
    if (*i >= m->used)
        return false;
    if (out_key)
        *out_key = m->entries[*i].key;
    if (out_value)
        *out_value = m->entries[*i].value;
    ++*i;
    return true;
}
