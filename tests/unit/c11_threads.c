// SPDX-License-Identifier: Apache-2.0
/* librdkafka starts and joins its threads as C11 has it, which ThreadSanitizer does not know: a thread it
 * has not seen begin crashes at its first allocation. In preset tsan these take the place of
 * glibc's. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

#if defined(__SANITIZE_THREAD__)

typedef struct beginning {
    thrd_start_t f;
    void *arg;
} beginning;

static void *begin(void *p)
{
    beginning b = *(beginning *)p;
    free(p);
    return (void *)(intptr_t)b.f(b.arg);
}

__attribute__((visibility("default"))) int thrd_create(thrd_t *out, thrd_start_t f,
                                                       void *arg)
{
    beginning *b = malloc(sizeof *b);
    if (!b)
        return thrd_nomem;
    *b = (beginning){f, arg};
    return pthread_create(out, NULL, begin, b) == 0 ? thrd_success : thrd_error;
}

__attribute__((visibility("default"))) int thrd_join(thrd_t thread, int *out)
{
    void *result;
    if (pthread_join(thread, &result) != 0)
        return thrd_error;
    if (out)
        *out = (int)(intptr_t)result;
    return thrd_success;
}
#endif
