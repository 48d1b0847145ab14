// SPDX-License-Identifier: Apache-2.0
/* XXH3 in two dresses: seeded for tables that strangers fill, unseeded for ids. Any
 * thread. Invariant: the seed is written once, before main, so that reading it needs no
 * lock. */
#define XXH_INLINE_ALL
#include "base/hash.h"

#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>

static uint64_t seed;

__attribute__((constructor)) static void choose_seed(void)
{
    const char *wanted = getenv("TIDEWATCH_HASH_SEED");
    if (wanted && *wanted)
        seed = strtoull(wanted, NULL, 0);
    else if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)(uintptr_t)&seed; /* no entropy yet at boot: the address is
                                              random too */
}

uint64_t tw_hash(const void *data, size_t n)
{
    return XXH3_64bits_withSeed(n ? data : "", n, seed);
}

uint64_t tw_hash_stable(const void *data, size_t n)
{
    return XXH3_64bits(n ? data : "", n);
}

static void write_hex(uint64_t v, char out[16])
{
    for (int i = 15; i >= 0; i--, v >>= 4)
        out[i] = "0123456789abcdef"[v & 15];
}

void tw_hash_hex128(const void *data, size_t n, char out[33])
{
    XXH128_hash_t h = XXH3_128bits(n ? data : "", n);
    write_hex(h.high64, out);
    write_hex(h.low64, out + 16);
    out[32] = '\0';
}
