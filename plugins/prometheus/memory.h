// SPDX-License-Identifier: Apache-2.0
/* Small allocations, as the engine makes them: zeroed, and the end of the process when there is no
 * memory. Any thread; free with free(). */
#ifndef TW_PROMETHEUS_MEMORY_H
#define TW_PROMETHEUS_MEMORY_H

#include <stddef.h>

void *xalloc(size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *text); /* NULL gives NULL */
char *xprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
