// SPDX-License-Identifier: Apache-2.0
/* Whether two samples have different means, without assuming that they spread alike: B. L. Welch, "The
 * generalization of Student's problem when several different population variances are involved",
 * Biometrika 34 (1947), with the degrees of freedom of F. E. Satterthwaite (1946). Means and spreads
 * are kept as B. P. Welford (1962) does, and merged as T. F. Chan and others (1979). Pure functions. */
#ifndef TW_DETECT_WELCH_H
#define TW_DETECT_WELCH_H

#include <stdint.h>

/* What is left of samples. Zeroed: none. */
typedef struct tw_moments {
    uint64_t count;
    double mean, m2; /* m2: sum of squared distances from the mean */
} tw_moments;

void tw_moments_add(tw_moments *m, double value);
void tw_moments_merge(tw_moments *m, const tw_moments *other);

/* The chance, 0 to 1, that means at least so far apart come of samples of one mean (two-sided). At least two
 * samples on each side. */
double tw_welch_chance(const tw_moments *a, const tw_moments *b);

#endif
