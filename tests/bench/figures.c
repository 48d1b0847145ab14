// SPDX-License-Identifier: Apache-2.0
/* Medians, and a malloc that counts: the C library's own allocator answers under another
 * name, so every library of the process is counted, C++ included. */
#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static _Thread_local uint64_t allocations;

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t size)
{
    allocations++;
    return __libc_realloc(p, size);
}

uint64_t figure_allocations(void)
{
    return allocations;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

bool figure_report(const char *name, double *values, int count, figure_better better,
                   double gate, double goal)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    double value =
        count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
    bool pass = better == FIGURE_HIGHER ? value >= gate : value <= gate;

    printf(
        "{\"name\": \"%s\", \"value\": %.4g, \"min\": %.4g, \"max\": %.4g, \"runs\": %d, "
        "\"better\": \"%s\", \"gate\": %g, \"goal\": %g, \"pass\": %s}\n",
        name, value, values[0], values[count - 1], count,
        better == FIGURE_HIGHER ? "higher" : "lower", gate, goal,
        pass ? "true" : "false");
    fflush(stdout);
    return pass;
}

double figure_resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f && fscanf(f, "%*u %lu", &pages) != 1) {
        pages = 0;
    }
    if (f) {
        fclose(f);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}
