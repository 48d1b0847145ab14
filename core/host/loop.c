// SPDX-License-Identifier: Apache-2.0
/* libuv's loop, its handles wrapped as watches. A watch embeds its handle and is freed in the handle's
 * close callback; the loop keeps no list of its own, libuv walks the handles. Posted calls wait in a list
 * under a lock, which is held for no longer than it takes to link or unlink it. */
#include "host/loop.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"

typedef struct posted {
    struct posted *next;
    void (*fn)(void *arg);
    void *arg;
} posted;

struct tw_loop {
    uv_loop_t uv;
    uv_async_t wake;
    pthread_mutex_t lock;
    posted *first, **last; /* under lock */
    uint32_t watches;
};

struct tw_watch {
    union {
        uv_handle_t handle;
        uv_poll_t poll;
        uv_timer_t timer;
        uv_signal_t signal;
        uv_fs_event_t folder;
    } uv;
    tw_loop *loop;
    int fd;
    void (*ready)(void *arg, int fd, int events);
    void (*due)(void *arg);
    void (*caught)(void *arg, int signum);
    void *arg;
};

/* ---- life ---- */

static posted *take_posted(tw_loop *l)
{
    pthread_mutex_lock(&l->lock);
    posted *p = l->first;
    l->first = NULL;
    l->last = &l->first;
    pthread_mutex_unlock(&l->lock);
    return p;
}

static void on_wake(uv_async_t *handle)
{
    tw_loop *l = handle->data;
    for (posted *p = take_posted(l), *next; p; p = next) {
        next = p->next;
        p->fn(p->arg);
        tw_free(p);
    }
}

tw_loop *tw_loop_new(tw_err *err)
{
    tw_loop *l = tw_alloc(sizeof *l);
    int rc = uv_loop_init(&l->uv);
    if (rc < 0) {
        tw_err_set(err, TW_EIO, "the event loop does not start: %s", uv_strerror(rc));
        tw_free(l);
        return NULL;
    }
    rc = uv_async_init(&l->uv, &l->wake, on_wake);
    if (rc < 0) {
        tw_err_set(err, TW_EIO, "the event loop does not start: %s", uv_strerror(rc));
        uv_loop_close(&l->uv);
        tw_free(l);
        return NULL;
    }
    l->wake.data = l;
    pthread_mutex_init(&l->lock, NULL);
    l->last = &l->first;
    return l;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    tw_loop *l = arg;
    if (handle == (uv_handle_t *)&l->wake) {
        if (!uv_is_closing(handle))
            uv_close(handle, NULL);
    } else {
        tw_watch_end(handle->data);
    }
}

/* What is posted and has not run by now is dropped: its owner is gone or going. */
void tw_loop_free(tw_loop *l)
{
    if (!l)
        return;
    uv_walk(&l->uv, close_handle, l);
    while (uv_run(&l->uv, UV_RUN_DEFAULT) != 0)
        ;
    int rc = uv_loop_close(&l->uv);
    assert(rc == 0 && l->watches == 0);
    (void)rc;
    for (posted *p = take_posted(l), *next; p; p = next) {
        next = p->next;
        tw_free(p);
    }
    pthread_mutex_destroy(&l->lock);
    tw_free(l);
}

void tw_loop_run(tw_loop *l)
{
    uv_run(&l->uv, UV_RUN_DEFAULT);
}

bool tw_loop_turn(tw_loop *l, bool wait)
{
    uv_run(&l->uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    return l->watches > 0;
}

void tw_loop_stop(tw_loop *l)
{
    uv_stop(&l->uv);
}

int tw_loop_post(tw_loop *l, void (*fn)(void *arg), void *arg)
{
    posted *p = tw_alloc(sizeof *p);
    p->fn = fn;
    p->arg = arg;
    pthread_mutex_lock(&l->lock);
    *l->last = p;
    l->last = &p->next;
    pthread_mutex_unlock(&l->lock);
    uv_async_send(&l->wake);
    return TW_OK;
}

/* ---- watches ---- */

static void on_closed(uv_handle_t *handle)
{
    tw_watch *w = handle->data;
    w->loop->watches--;
    tw_free(w);
}

/* A handle that libuv has initialised must be closed; one it refused is only memory. */
static tw_watch *watch_made(tw_watch *w, int init_rc, int start_rc)
{
    if (init_rc < 0) {
        tw_free(w);
        return NULL;
    }
    w->uv.handle.data = w;
    w->loop->watches++;
    if (start_rc < 0) {
        tw_watch_end(w);
        return NULL;
    }
    return w;
}

void tw_watch_end(tw_watch *w)
{
    if (w && !uv_is_closing(&w->uv.handle))
        uv_close(&w->uv.handle, on_closed);
}

/* An error of the descriptor is told as ready for both: the owner's next read or write meets it. */
static void on_poll(uv_poll_t *handle, int status, int events)
{
    tw_watch *w = handle->data;
    int ready = 0;
    if (status < 0 || (events & UV_READABLE))
        ready |= 1;
    if (status < 0 || (events & UV_WRITABLE))
        ready |= 2;
    w->ready(w->arg, w->fd, ready);
}

static int poll_start(tw_watch *w, int events)
{
    int wanted = (events & 1 ? UV_READABLE : 0) | (events & 2 ? UV_WRITABLE : 0);
    return wanted ? uv_poll_start(&w->uv.poll, wanted, on_poll)
                  : uv_poll_stop(&w->uv.poll);
}

tw_watch *tw_loop_fd(tw_loop *l, int fd, int events,
                     void (*ready)(void *arg, int fd, int events), void *arg)
{
    tw_watch *w = tw_alloc(sizeof *w);
    w->loop = l;
    w->fd = fd;
    w->ready = ready;
    w->arg = arg;
    int rc = uv_poll_init(&l->uv, &w->uv.poll, fd);
    w->uv.handle.data = w;
    return watch_made(w, rc, rc < 0 ? rc : poll_start(w, events));
}

void tw_watch_change(tw_watch *w, int events)
{
    if (!uv_is_closing(&w->uv.handle))
        poll_start(w, events);
}

static void on_timer(uv_timer_t *handle)
{
    tw_watch *w = handle->data;
    w->due(w->arg);
}

/* libuv counts from the start of the loop's turn; what was done since then does not shorten the wait. */
static int timer_start(tw_watch *w, int64_t after_ms, int64_t repeat_ms)
{
    uv_update_time(&w->loop->uv);
    return uv_timer_start(&w->uv.timer, on_timer, after_ms > 0 ? (uint64_t)after_ms : 0,
                          repeat_ms > 0 ? (uint64_t)repeat_ms : 0);
}

tw_watch *tw_loop_timer(tw_loop *l, int64_t after_ms, int64_t repeat_ms,
                        void (*due)(void *arg), void *arg)
{
    tw_watch *w = tw_alloc(sizeof *w);
    w->loop = l;
    w->due = due;
    w->arg = arg;
    int rc = uv_timer_init(&l->uv, &w->uv.timer);
    return watch_made(w, rc, rc < 0 ? rc : timer_start(w, after_ms, repeat_ms));
}

void tw_watch_timer_again(tw_watch *w, int64_t after_ms, int64_t repeat_ms)
{
    if (!uv_is_closing(&w->uv.handle))
        timer_start(w, after_ms, repeat_ms);
}

static void on_folder(uv_fs_event_t *handle, const char *name, int events, int status)
{
    (void)name;
    (void)events;
    (void)status;
    tw_watch *w = handle->data;
    w->due(w->arg);
}

tw_watch *tw_loop_folder(tw_loop *l, const char *path, void (*changed)(void *arg),
                         void *arg)
{
    tw_watch *w = tw_alloc(sizeof *w);
    w->loop = l;
    w->due = changed;
    w->arg = arg;
    int rc = uv_fs_event_init(&l->uv, &w->uv.folder);
    return watch_made(w, rc,
                      rc < 0 ? rc : uv_fs_event_start(&w->uv.folder, on_folder, path, 0));
}

static void on_signal(uv_signal_t *handle, int signum)
{
    tw_watch *w = handle->data;
    w->caught(w->arg, signum);
}

tw_watch *tw_loop_signal(tw_loop *l, int signum, void (*caught)(void *arg, int signum),
                         void *arg)
{
    tw_watch *w = tw_alloc(sizeof *w);
    w->loop = l;
    w->caught = caught;
    w->arg = arg;
    int rc = uv_signal_init(&l->uv, &w->uv.signal);
    return watch_made(w, rc,
                      rc < 0 ? rc : uv_signal_start(&w->uv.signal, on_signal, signum));
}
