// SPDX-License-Identifier: Apache-2.0
/* The state of an engine as bytes; see engine.h. Paused, everything that lanes told collected: between two frames,
 * which is what makes it one point. */
#include "engine_impl.h"

#define STATE_VERSION 5

int tw_engine_save(tw_engine *e, tw_buf *out, tw_err *err)
{
    bool was_paused = e->paused;
    int rc = TW_OK;

    if (!was_paused)
        tw_engine_pause(e);
    tw_engine_collect(e);
    tw_state_put_u64(out, STATE_VERSION);
    tw_state_put_u64(out, e->lane_count);
    tw_state_put_u64(out, e->seq);
    for (uint32_t i = 0; i < e->lane_count && rc == TW_OK; i++)
        rc = tw_lane_save(e->lanes[i], out, err);
    tw_park_save(&e->park, out);
    if (rc == TW_OK)
        tw_engine_save_context(e, out);
    if (rc == TW_OK && out->failed)
        rc = tw_err_set(err, TW_ELIMIT, "the state is larger than its buffer may be");
    if (!was_paused)
        tw_engine_resume(e);
    return rc;
}

int tw_engine_load(tw_engine *e, const void *data, size_t size, tw_err *err)
{
    tw_state_in in = tw_state_in_of(data, size);
    bool was_paused = e->paused;
    uint64_t version, lanes;
    int rc = TW_OK;

    if (!tw_state_take_u64(&in, &version) || version != STATE_VERSION ||
        !tw_state_take_u64(&in, &lanes) || !tw_state_take_u64(&in, &e->seq))
        return tw_err_set(err, TW_EPARSE,
                          "this is no saved state, or of another version");
    if (lanes != e->lane_count)
        return tw_err_set(err, TW_EUNSUPPORTED,
                          "the state was saved on %llu lanes, and there are %u now",
                          (unsigned long long)lanes, e->lane_count);
    if (!was_paused)
        tw_engine_pause(e);
    for (uint32_t i = 0; i < e->lane_count && rc == TW_OK; i++)
        rc = tw_lane_load(e->lanes[i], &in, err);
    if (rc == TW_OK)
        rc = tw_park_load(&e->park, &in, e->lane_count, err);
    if (rc == TW_OK)
        rc = tw_engine_load_context(e, &in, err);
    if (!was_paused)
        tw_engine_resume(e);
    return rc;
}
