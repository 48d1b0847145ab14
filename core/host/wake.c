// SPDX-License-Identifier: Apache-2.0
/* An eventfd with a flag before it: while the flag says that a wake is on its way, ringing again costs
 * no system call. Whoever rings sets the flag and then writes; the owner reads and then clears the
 * flag. A ring that comes between these two is not written, but what it announces was done
 * before the flag is cleared, so the owner, who looks at its queues after waiting, sees it. */
#include "host/wake.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct tw_wake {
    int fd;
    atomic_bool ringing;
};

tw_wake *tw_wake_new(tw_err *err)
{
    tw_wake *w = tw_alloc(sizeof *w);
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->fd < 0) {
        tw_err_set(err, TW_EIO, "no descriptor to wake a lane with: %s", strerror(errno));
        tw_free(w);
        return NULL;
    }
    return w;
}

void tw_wake_free(tw_wake *w)
{
    if (!w)
        return;
    close(w->fd);
    tw_free(w);
}

int tw_wake_fd(const tw_wake *w)
{
    return w->fd;
}

void tw_wake_ring(tw_wake *w)
{
    static const uint64_t one = 1;
    if (atomic_exchange_explicit(&w->ringing, true, memory_order_acq_rel))
        return;
    /* Fails only when the counter is full, and then it is readable already. */
    while (write(w->fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void tw_wake_wait(tw_wake *w, int64_t timeout_ms)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    int timeout = timeout_ms < 0 ? -1 : timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
    if (poll(&p, 1, timeout) <= 0)
        return;
    uint64_t rings;
    if (read(w->fd, &rings, sizeof rings) == (ssize_t)sizeof rings)
        atomic_exchange_explicit(&w->ringing, false, memory_order_acq_rel);
}
