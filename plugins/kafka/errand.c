// SPDX-License-Identifier: Apache-2.0
/* One thread, one list of errands, one small ring of nudges. The lock is held for
 * instants only, so a lane may put a nudge while it polls. */
#include "errand.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "settings.h"

enum { NUDGES = 64, NUDGE_WAIT_MS = 500 };

typedef struct nudge {
    const char *topic; /* lives as long as the instance */
    int32_t partition;
} nudge;

struct errands {
    const tw_host *h;
    rd_kafka_t *rk;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    errand *first, **tail;
    errand *last; /* the thread ends after this one */
    nudge nudges[NUDGES];
    unsigned nudge_count;
    bool abandoned;
};

/* Any request to the broker wakes its thread; the end offset is the cheapest one. */
static void send_nudge(rd_kafka_t *rk, const nudge *n)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, n->topic, n->partition)->offset =
        RD_KAFKA_OFFSET_END;
    (void)rd_kafka_offsets_for_times(rk, list, NUDGE_WAIT_MS);
    rd_kafka_topic_partition_list_destroy(list);
}

/* Called and returns with the lock held. */
static void run_one(errands *all, errand *e)
{
    all->first = e->next;
    if (!all->first)
        all->tail = &all->first;
    pthread_mutex_unlock(&all->lock);
    e->run(e, all->rk);
    pthread_mutex_lock(&all->lock);
    if (!all->abandoned)
        all->h->post(all->h, e->done, e);
}

static void *work(void *arg)
{
    errands *all = arg;
    bool ended = false;

    pthread_mutex_lock(&all->lock);
    while (!ended) {
        errand *e = all->first;

        if (e) {
            ended = e == all->last;
            run_one(all, e);
        } else if (all->nudge_count > 0) {
            nudge n = all->nudges[--all->nudge_count];
            pthread_mutex_unlock(&all->lock);
            send_nudge(all->rk, &n);
            pthread_mutex_lock(&all->lock);
        } else {
            pthread_cond_wait(&all->filled, &all->lock);
        }
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

errands *errands_new(const tw_host *h, rd_kafka_t *rk)
{
    errands *all = kafka_alloc(sizeof *all);

    all->h = h;
    all->rk = rk;
    all->tail = &all->first;
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->filled, NULL);
    if (pthread_create(&all->thread, NULL, work, all) != 0) {
        free(all);
        return NULL;
    }
    return all;
}

static void put(errands *all, errand *e)
{
    e->next = NULL;
    *all->tail = e;
    all->tail = &e->next;
    pthread_cond_signal(&all->filled);
}

void errands_put(errands *all, errand *e)
{
    pthread_mutex_lock(&all->lock);
    put(all, e);
    pthread_mutex_unlock(&all->lock);
}

void errands_nudge(errands *all, const char *topic, int32_t partition)
{
    pthread_mutex_lock(&all->lock);
    if (all->nudge_count < NUDGES && !all->last)
        all->nudges[all->nudge_count++] = (nudge){topic, partition};
    pthread_cond_signal(&all->filled);
    pthread_mutex_unlock(&all->lock);
}

void errands_end(errands *all, errand *last)
{
    pthread_mutex_lock(&all->lock);
    all->last = last;
    all->nudge_count = 0;
    put(all, last);
    pthread_mutex_unlock(&all->lock);
}

void errands_free(errands *all)
{
    if (!all)
        return;
    pthread_join(all->thread, NULL);
    pthread_cond_destroy(&all->filled);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

void errands_abandon(errands *all)
{
    pthread_mutex_lock(&all->lock);
    all->abandoned = true;
    pthread_mutex_unlock(&all->lock);
    pthread_detach(all->thread);
}
