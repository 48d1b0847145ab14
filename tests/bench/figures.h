// SPDX-License-Identifier: Apache-2.0
/* How a bench reports: one JSON object a line, as tools/bench reads them. A figure is the
 * median of the rounds of one run, each round a ratio of two things measured side by
 * side. */
#ifndef TW_BENCH_FIGURES_H
#define TW_BENCH_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

typedef enum figure_better { FIGURE_HIGHER, FIGURE_LOWER } figure_better;

/* Sorts values. gate and goal in the figure's own unit. Returns whether the gate is kept.
 */
bool figure_report(const char *name, double *values, int count, figure_better better,
                   double gate, double goal);

/* Calls of malloc, calloc and realloc by this thread since it began, by whatever library.
 */
uint64_t figure_allocations(void);

/* Memory of this process that is in use, by what the kernel says. */
double figure_resident_bytes(void);

#endif
