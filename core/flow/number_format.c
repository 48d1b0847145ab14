// SPDX-License-Identifier: Apache-2.0
/* See number_format.h. */
#include "flow/number_format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

double tw_number_rounded(double v)
{
    char text[32];

    if (fabs(v) >= 1000)
        return round(v);
    snprintf(text, sizeof text, "%.4g", v);
    return strtod(text, NULL);
}

bool tw_number_format_parse(const char *text, size_t n, tw_number_format *out)
{
    tw_number_format f = {.set = true};

    f.percent = n > 0 && text[n - 1] == '%';
    n -= f.percent;
    if (n == 2 && text[0] == '.' && text[1] >= '0' && text[1] <= '9') {
        f.is_fixed = true;
        f.places = (uint8_t)(text[1] - '0');
    } else if (n > 0 || !f.percent) {
        return false;
    }
    *out = f;
    return true;
}

static int write_fixed(double v, int places, tw_buf *out)
{
    char text[352]; /* the longest double has 309 digits before the point */

    snprintf(text, sizeof text, "%.*f", places, v);
    return tw_buf_add_str(out,
                          strtod(text, NULL) == 0 && text[0] == '-' ? text + 1 : text);
}

int tw_number_format_write(tw_number_format f, double v, tw_buf *out)
{
    v = f.percent ? v * 100 : v;
    int rc = f.is_fixed ? write_fixed(v, f.places, out)
                        : tw_buf_add_double(out, tw_number_rounded(v));
    return rc == 0 && f.percent ? tw_buf_add_char(out, '%') : rc;
}
