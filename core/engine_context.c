// SPDX-License-Identifier: Apache-2.0
/* What is remembered, in the state of an engine: one piece, the last. Paused. */
#include "engine_impl.h"

#define MAX_CONTEXT_BYTES ((size_t)1 << 30)

void tw_engine_save_context(const tw_engine *e, tw_buf *out)
{
    tw_buf bytes;

    tw_buf_init(&bytes, MAX_CONTEXT_BYTES);
    tw_context_save(e->context, &bytes);
    tw_state_put_bytes(out, bytes.data, bytes.len);
    tw_buf_done(&bytes);
}

int tw_engine_load_context(tw_engine *e, tw_state_in *in, tw_err *err)
{
    const void *bytes;
    size_t size;

    if (!tw_state_take_bytes(in, &bytes, &size))
        return tw_err_set(err, TW_EPARSE, "the saved state is broken");
    return tw_context_load(e->context, bytes, size, err);
}
