// SPDX-License-Identifier: Apache-2.0
/* The grid; see schedule.h. */
#include "prometheus/schedule.h"

/* FNV-1a of 64 bits, and a last mix so that texts that differ at their end differ in every bit. */
static uint64_t hash(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    return h ^ h >> 33;
}

int64_t schedule_offset_ms(const char *text, int64_t interval_ms)
{
    return (int64_t)(hash(text) % (uint64_t)interval_ms);
}

int64_t schedule_next_ms(int64_t now_ms, int64_t interval_ms, int64_t offset_ms)
{
    int64_t since = (now_ms - offset_ms) % interval_ms;

    return now_ms + interval_ms - (since < 0 ? since + interval_ms : since);
}
