// SPDX-License-Identifier: Apache-2.0
/* The ring of kept events against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "detect/kept_ring.h"

enum { MOST = 100 };

typedef struct plain {
    struct {
        int64_t time_ms;
        uint64_t seq;
    } items[MOST];
    uint32_t count;
} plain;

static uint32_t plain_from(const plain *p, int64_t time_ms)
{
    uint32_t n = 0;

    while (n < p->count && p->items[n].time_ms < time_ms) {
        n++;
    }
    return n;
}

static void plain_add(plain *p, int64_t time_ms, uint64_t seq)
{
    uint32_t at = plain_from(p, time_ms + 1);

    memmove(&p->items[at + 1], &p->items[at], (p->count - at) * sizeof p->items[0]);
    p->items[at].time_ms = time_ms;
    p->items[at].seq = seq;
    p->count++;
}

static void plain_cut(plain *p, uint32_t from, uint32_t to)
{
    memmove(&p->items[from], &p->items[to], (p->count - to) * sizeof p->items[0]);
    p->count -= to - from;
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void compare(const tw_kept_ring *r, const plain *p)
{
    assert_int_equal(r->count, p->count);
    for (uint32_t n = 0; n < p->count; n++) {
        assert_int_equal(tw_kept_ring_at(r, n)->kept.time_ms, p->items[n].time_ms);
        assert_int_equal(tw_kept_ring_at(r, n)->kept.seq, p->items[n].seq);
    }
    for (int64_t t = -1; t < 32; t++) {
        assert_int_equal(tw_kept_ring_from(r, t), plain_from(p, t));
        assert_int_equal(tw_kept_ring_after(r, t), plain_from(p, t + 1));
    }
}

static void it_holds_what_an_array_would(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed < 50; seed++) {
        tw_slab *slab = tw_slab_new();
        tw_kept_ring r = {0};
        plain p = {.count = 0};
        unsigned random = seed;
        for (uint64_t n = 0; n < 600; n++) {
            bool grows = n / 100 % 2 == 0;
            if (p.count < MOST && next_random(&random) % 4 < (grows ? 3u : 1u)) {
                tw_kept_item item = {
                    .kept = {.time_ms = next_random(&random) % 30, .seq = n}};
                tw_kept_ring_add(&r, slab, &item);
                plain_add(&p, item.kept.time_ms, n);
            } else if (p.count > 0) {
                uint32_t from = next_random(&random) % p.count;
                uint32_t to = from + next_random(&random) % 4;
                to = to < p.count ? to : p.count;
                tw_kept_ring_cut(&r, slab, from, to);
                plain_cut(&p, from, to);
            }
            compare(&r, &p);
        }
        tw_slab_free(slab);
    }
}

static void an_empty_one_has_no_memory(void **state)
{
    (void)state;
    tw_slab *slab = tw_slab_new();
    tw_kept_ring r = {0};
    tw_kept_item item = {.kept = {.time_ms = 5}};

    for (int n = 0; n < 100; n++) {
        tw_kept_ring_add(&r, slab, &item);
    }
    tw_kept_ring_cut(&r, slab, 0, 99);
    assert_true(r.room <= 16);
    tw_kept_ring_cut(&r, slab, 0, 1);
    assert_null(r.items);
    assert_int_equal(r.room, 0);
    tw_slab_free(slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_what_an_array_would),
        cmocka_unit_test(an_empty_one_has_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
