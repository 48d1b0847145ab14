// SPDX-License-Identifier: Apache-2.0
/* How far sketches are from the truth. ddsketch_error: the worst relative error of quantiles
 * from 0 to 1 over distributions of different shape, added at once and merged from panes, in
 * percent. hll_error: the same of the count of distinct values, by how many there are and what
 * they look like. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "detect/ddsketch.h"
#include "detect/distinct.h"
#include "detect/name.h"
#include "figures.h"

enum { SAMPLES = 100000, PANES = 64, DISTRIBUTIONS = 8, LOOKS = 4 };

static uint64_t random_state = 1;

static double uniform(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return ((double)(random_state >> 11) + 1) / 9007199254740994.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static double sample_of(int distribution)
{
    switch (distribution) {
    case 0:
        return uniform() * 1000;
    case 1:
        return -log(uniform()) * 20; /* exponential */
    case 2:
        return exp(3 + 1.5 * normal()); /* latencies */
    case 3:
        return pow(uniform(), -1 / 1.2); /* Pareto */
    case 4:
        return normal() * 50; /* both signs */
    case 5:
        return floor(uniform() * 5); /* few values, zero among them */
    case 6:
        return uniform() < 0.95 ? 10 + normal() : 3000 + 400 * normal(); /* two modes */
    default:
        return 1e9 + uniform(); /* near one another */
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double worst_of(const tw_ddsketch *d, const double *sorted)
{
    double worst = 0, found = 0;

    for (int n = 0; n <= 1000; n++) {
        double exact = sorted[(int)floor(n / 1000.0 * (SAMPLES - 1))];
        if (!tw_ddsketch_quantile(d, n / 1000.0, &found)) {
            return INFINITY;
        }
        double error = fabs(found - exact);
        worst = fmax(worst, error > 0 ? error / fabs(exact) : 0);
    }
    return worst;
}

static double ddsketch_error(int distribution)
{
    static double values[SAMPLES];
    tw_slab *slab = tw_slab_new();
    tw_ddsketch *all = NULL, *merged = NULL, *panes[PANES] = {NULL};

    for (int n = 0; n < SAMPLES; n++) {
        values[n] = sample_of(distribution);
        tw_ddsketch_add(slab, &all, values[n]);
        tw_ddsketch_add(slab, &panes[n % PANES], values[n]);
    }
    for (int n = 0; n < PANES; n++) {
        tw_ddsketch_merge(slab, &merged, panes[n]);
    }
    qsort(values, SAMPLES, sizeof *values, compare);
    double worst = fmax(worst_of(all, values), worst_of(merged, values));
    tw_slab_free(slab);
    return worst;
}

/* Value number n, as names of users, numbers, addresses and paths. */
static uint64_t hash_of(int look, uint32_t n)
{
    char text[64];
    int len = 0;

    if (look == 0) {
        return tw_name_hash(tw_value_int(n));
    }
    if (look == 1) {
        len = snprintf(text, sizeof text, "user-%u", n);
    } else if (look == 2) {
        len = snprintf(text, sizeof text, "10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
    } else {
        len = snprintf(text, sizeof text, "/api/v1/orders/%08x/items", n * 2654435761u);
    }
    return tw_name_hash(tw_value_string(text, (size_t)len));
}

static double hll_error(int look)
{
    tw_slab *slab = tw_slab_new();
    tw_distinct *d = NULL;
    double worst = 0;
    uint32_t count = 0;

    for (uint32_t next = 500; next < 2000000; next += next / 2) {
        while (count < next) {
            tw_distinct_add(slab, &d, hash_of(look, count++));
        }
        worst = fmax(worst, fabs(tw_distinct_count(d) / count - 1));
    }
    tw_slab_free(slab);
    return worst;
}

int main(void)
{
    double quantiles[1] = {0}, distinct[1] = {0};

    for (int n = 0; n < DISTRIBUTIONS; n++) {
        quantiles[0] = fmax(quantiles[0], 100 * ddsketch_error(n));
    }
    for (int n = 0; n < LOOKS; n++) {
        distinct[0] = fmax(distinct[0], 100 * hll_error(n));
    }
    bool good = figure_report("ddsketch_error", quantiles, 1, FIGURE_LOWER, 1, 1);
    good = figure_report("hll_error", distinct, 1, FIGURE_LOWER, 2, 2) && good;
    return good ? 0 : 1;
}
