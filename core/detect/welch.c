// SPDX-License-Identifier: Apache-2.0
#include "detect/welch.h"

#include <math.h>

void tw_moments_add(tw_moments *m, double value)
{
    double distance = value - m->mean;

    m->count++;
    m->mean += distance / (double)m->count;
    m->m2 += distance * (value - m->mean);
}

void tw_moments_merge(tw_moments *m, const tw_moments *other)
{
    double a = (double)m->count, b = (double)other->count;
    double distance = other->mean - m->mean;

    if (other->count == 0) {
        return;
    }
    m->count += other->count;
    m->mean += distance * b / (a + b);
    m->m2 += other->m2 + distance * distance * a * b / (a + b);
}

/* The continued fraction of the incomplete beta function (Abramowitz and Stegun, 26.5.8), from its front by
 * the method of W. J. Lentz (1976). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);

    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m <= 500; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double terms[] = {even, odd}, before = value;
        for (int i = 0; i < 2; i++) {
            d = 1 + terms[i] * d;
            c = 1 + terms[i] / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            value *= c * d;
        }
        if (fabs(value - before) <= 1e-15 * fabs(value)) {
            break;
        }
    }
    return value;
}

/* I_x(a, b) */
static double beta_share(double a, double b, double x)
{
    int sign;

    if (x <= 0 || x >= 1) {
        return x <= 0 ? 0 : 1;
    }
    double front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) +
                       a * log(x) + b * log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                     : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double tw_welch_chance(const tw_moments *a, const tw_moments *b)
{
    double na = (double)a->count, nb = (double)b->count;
    double va = a->m2 / (na - 1) / na, vb = b->m2 / (nb - 1) / nb; /* of the means */
    double distance = a->mean - b->mean, spread = va + vb;

    if (!(spread > 0)) {
        return distance != 0 ? 0 : 1;
    }
    double share_a = va / spread,
           share_b = vb / spread; /* so that nothing under- or overflows */
    double freedom = 1 / (share_a * share_a / (na - 1) + share_b * share_b / (nb - 1));
    double t = distance / sqrt(spread);
    return beta_share(freedom / 2, 0.5, freedom / (freedom + t * t));
}
