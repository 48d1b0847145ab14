// SPDX-License-Identifier: Apache-2.0
/* Lane threads and how they are brought to a standstill.
 *
 * A pause: every lane stops polling, publishes what it has for others and says so; while
 * some have not said so yet it goes on reading its own rings (a lane that waits for room
 * in our ring could not get there otherwise); when all have, nothing new can enter any
 * ring, so each empties its own and parks. A batch of frames is handled to its end before, unless the pause
 * may cut: then its rest waits in the feed, and a later pause that may not cut has it handled first.
 *
 * What is read there may be emitted on to rules that read it: it is all done once more for each
 * further rule that stands in the longest chain, and then nothing is on the way any more. */
#include <sched.h>

#include "base/log.h"
#include "engine_impl.h"

/* Publishes what it has, and reads its rings until all lanes have done so and they are empty. */
static void empty_rings(tw_lane *lane, uint32_t round)
{
    tw_engine *e = lane->engine;

    tw_lane_flush(lane);
    atomic_fetch_add(&e->flushed, 1);
    while (atomic_load(&e->flushed) < e->lane_count * round) {
        if (!tw_lane_drain(lane))
            sched_yield();
    }
    while (tw_lane_drain(lane))
        ;
}

static void park(tw_lane *lane)
{
    tw_engine *e = lane->engine;

    for (uint32_t round = 1; round <= lane->rules->set->rank_count; round++)
        empty_rings(lane, round);
    pthread_mutex_lock(&e->mutex);
    uint64_t before = e->resumes;
    if (++e->parked == e->lane_count)
        pthread_cond_signal(&e->parked_all);
    while (e->resumes == before)
        pthread_cond_wait(&e->resumed, &e->mutex);
    pthread_mutex_unlock(&e->mutex);
}

/* An engine in step does what the shore laid out for this step, once. */
static void take_step(tw_lane *lane, uint64_t *seen)
{
    tw_engine *e = lane->engine;
    uint64_t steps = atomic_load(&e->steps);

    if (steps == *seen)
        return;
    *seen = steps;
    if (e->step.frame && e->step.lane == lane->number)
        tw_lane_frame(lane, e->step.stream, e->step.source, e->step.partition,
                      e->step.frame, e->seq);
    else if (!e->step.frame)
        tw_lane_tick(lane, tw_clock_now_ms(lane->clock));
}

static int64_t sleep_ms(const tw_lane *lane)
{
    return lane->clock->is_virtual ? 1000 : 50;
}

void tw_lane_main(tw_lane *lane)
{
    tw_engine *e = lane->engine;
    uint64_t seen = 0;
    tw_err err = {0};

    if (tw_rule_thread_enter(&err) < 0)
        tw_log_error("lane", "no watchdog for this lane", "reason", err.text, NULL);
    while (!atomic_load(&e->stop_wanted)) {
        take_step(lane, &seen);
        if (atomic_load(&e->pause_wanted)) {
            if (!atomic_load(&e->may_cut))
                tw_lane_finish(lane);
            park(lane);
            continue;
        }
        if (tw_lane_turn(lane) == 0)
            tw_wake_wait(lane->wake, sleep_ms(lane));
    }
    tw_rule_thread_leave();
}

bool tw_engine_wants_cut(const tw_engine *e)
{
    return atomic_load_explicit(&e->pause_wanted, memory_order_acquire) &&
           atomic_load_explicit(&e->may_cut, memory_order_relaxed);
}

static void pause_lanes(tw_engine *e, bool may_cut)
{
    e->paused = true;
    if (!e->threads)
        return;
    pthread_mutex_lock(&e->mutex);
    e->parked = 0;
    atomic_store(&e->flushed, 0);
    atomic_store(&e->may_cut, may_cut);
    atomic_store(&e->pause_wanted, true);
    for (uint32_t i = 0; i < e->lane_count; i++)
        tw_wake_ring(e->lanes[i]->wake);
    while (e->parked < e->lane_count)
        pthread_cond_wait(&e->parked_all, &e->mutex);
    pthread_mutex_unlock(&e->mutex);
}

void tw_engine_pause(tw_engine *e)
{
    pause_lanes(e, false);
}

void tw_engine_pause_soon(tw_engine *e)
{
    pause_lanes(e, true);
}

void tw_engine_resume(tw_engine *e)
{
    e->paused = false;
    if (!e->threads)
        return;
    pthread_mutex_lock(&e->mutex);
    atomic_store(&e->pause_wanted, false);
    e->resumes++;
    pthread_cond_broadcast(&e->resumed);
    pthread_mutex_unlock(&e->mutex);
}
