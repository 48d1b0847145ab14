// SPDX-License-Identifier: Apache-2.0
/* A list in order of time; see callers.h. Invariant: a caller that was cut is in no list and not counted. */
#include "control/callers.h"

#include <sys/socket.h>

#include "base/mem.h"

struct tw_caller {
    tw_caller *before, *after;
    int fd;
    bool cut;
};

static void append(tw_callers *callers, tw_caller *caller)
{
    caller->before = callers->last;
    caller->after = NULL;
    if (callers->last)
        callers->last->after = caller;
    else
        callers->first = caller;
    callers->last = caller;
    callers->count++;
}

static void take_out(tw_callers *callers, tw_caller *caller)
{
    if (caller->before)
        caller->before->after = caller->after;
    else
        callers->first = caller->after;
    if (caller->after)
        caller->after->before = caller->before;
    else
        callers->last = caller->before;
    callers->count--;
}

bool tw_callers_came(tw_callers *callers, int fd, tw_caller **out)
{
    tw_caller *caller = tw_alloc(sizeof *caller);

    *caller = (tw_caller){.fd = fd};
    append(callers, caller);
    *out = caller;
    if (callers->count <= callers->most)
        return false;
    tw_caller *oldest = callers->first;
    take_out(callers, oldest);
    oldest->cut = true;
    shutdown(oldest->fd, SHUT_RDWR);
    return true;
}

void tw_callers_served(tw_callers *callers, tw_caller *caller)
{
    if (!caller || caller->cut)
        return;
    take_out(callers, caller);
    append(callers, caller);
}

void tw_callers_left(tw_callers *callers, tw_caller *caller)
{
    if (caller && !caller->cut)
        take_out(callers, caller);
    tw_free(caller);
}
