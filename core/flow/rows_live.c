// SPDX-License-Identifier: Apache-2.0
/* Publishing rows; see rows_live.h. */
#include "flow/rows_live.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"

struct tw_live_rows {
    atomic_uint refs;
    _Atomic uint64_t version;
    pthread_mutex_t lock; /* of rows, and of version when it is written */
    tw_rows *rows;
};

tw_live_rows *tw_live_rows_new(void)
{
    tw_live_rows *live = tw_alloc(sizeof *live);

    atomic_init(&live->refs, 1);
    pthread_mutex_init(&live->lock, NULL);
    return live;
}

tw_live_rows *tw_live_rows_ref(tw_live_rows *live)
{
    if (live)
        atomic_fetch_add_explicit(&live->refs, 1, memory_order_relaxed);
    return live;
}

void tw_live_rows_unref(tw_live_rows *live)
{
    if (!live || atomic_fetch_sub_explicit(&live->refs, 1, memory_order_acq_rel) != 1)
        return;
    tw_rows_unref(live->rows);
    pthread_mutex_destroy(&live->lock);
    tw_free(live);
}

void tw_live_rows_publish(tw_live_rows *live, tw_rows *rows)
{
    pthread_mutex_lock(&live->lock);
    tw_rows *old = live->rows;
    live->rows = rows;
    atomic_fetch_add_explicit(&live->version, 1, memory_order_release);
    pthread_mutex_unlock(&live->lock);
    tw_rows_unref(old);
}

const tw_rows *tw_live_rows_now(const tw_live_rows *live)
{
    return live->rows; /* only the caller's thread ever writes it */
}

uint64_t tw_live_rows_version(const tw_live_rows *live)
{
    return atomic_load_explicit(&live->version, memory_order_acquire);
}

tw_rows *tw_live_rows_take(tw_live_rows *live, uint64_t *out_version)
{
    pthread_mutex_lock(&live->lock);
    tw_rows *rows = tw_rows_ref(live->rows);
    *out_version = atomic_load_explicit(&live->version, memory_order_relaxed);
    pthread_mutex_unlock(&live->lock);
    return rows;
}
