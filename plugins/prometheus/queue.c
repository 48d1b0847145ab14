// SPDX-License-Identifier: Apache-2.0
/* Frames on their way from the shore to a lane; see poller.h. `held` is read without the lock, so that
 * a lane that looks in vain, which is nearly always, costs one load. */
#include "prometheus/poller.h"

void queue_init(frame_queue *q)
{
    pthread_mutex_init(&q->lock, NULL);
}

void queue_done(frame_queue *q)
{
    while (q->first) {
        frame *next = q->first->next;
        frame_free(q->first);
        q->first = next;
    }
    pthread_mutex_destroy(&q->lock);
}

bool queue_is_empty(frame_queue *q)
{
    return atomic_load(&q->held) == 0;
}

void queue_push(frame_queue *q, frame *list)
{
    frame *last = NULL;
    unsigned count = 0;

    for (frame *f = list; f; f = f->next, count++)
        last = f;
    if (!last)
        return;
    pthread_mutex_lock(&q->lock);
    if (q->last)
        q->last->next = list;
    else
        q->first = list;
    q->last = last;
    pthread_mutex_unlock(&q->lock);
    atomic_fetch_add(&q->held, count);
}

int queue_poll(tw_feed *feed, tw_frame *frames, int max)
{
    frame_queue *q = &((target *)feed)->queue;
    int n = 0;

    if (queue_is_empty(q))
        return 0;
    pthread_mutex_lock(&q->lock);
    while (n < max && q->first) {
        frame *f = q->first;
        frames[n++] = (tw_frame){.data = f->data,
                                 .size = f->size,
                                 .time_ms = f->time_ms,
                                 .offset = f->offset,
                                 .token = f};
        q->first = f->next;
    }
    if (!q->first)
        q->last = NULL;
    pthread_mutex_unlock(&q->lock);
    return n;
}

void queue_release(tw_feed *feed, tw_frame *frames, int count)
{
    frame_queue *q = &((target *)feed)->queue;

    for (int i = 0; i < count; i++)
        frame_free(frames[i].token);
    atomic_fetch_sub(&q->held, (unsigned)count);
}
