// SPDX-License-Identifier: Apache-2.0
/* second_rule_share: what each further matching rule adds / an event with one matching rule. Every
 * event matches; the rules count it for its host over five minutes and never fire. The event is
 * decoded and its key made once for all of them. With an argument it says the nanoseconds an event. */
#include <stdio.h>

#include "base/buf.h"
#include "figures.h"
#include "rig.h"

enum { EVENTS = 100000, RUN_EVENTS = 1000000, ROUNDS = 5, FURTHER = 4 };

static void put_rules(tw_buf *out, int count)
{
    tw_buf_reset(out);
    for (int n = 0; n < count; n++) {
        (void)tw_buf_printf(
            out,
            "rule \"bench/count_%d\" {\n"
            "  key = { \"host\" }, inputs = { ev = from \"requests\" {} },\n"
            "  detect = level { of = count \"ev\", over = \"5m\",\n"
            "                   crit = { at_least = %d } },\n"
            "  alert = incident { title = \"never\" },\n"
            "}\n",
            n, 100000000 + n);
    }
}

int main(int argc, char **argv)
{
    double shares[ROUNDS];
    bool good = true;
    rig *r = rig_new(EVENTS);
    tw_buf text;

    (void)argv;
    tw_buf_init(&text, 1 << 16);
    for (int round = 0; round < ROUNDS; round++) {
        put_rules(&text, 1);
        rig_figures one = rig_run(r, text.data, 1, RUN_EVENTS);
        put_rules(&text, 1 + FURTHER);
        rig_figures all = rig_run(r, text.data, 1, RUN_EVENTS);
        shares[round] = (all.wall_ns - one.wall_ns) / FURTHER / one.wall_ns;
        good = good && one.signals == 0 && all.signals == 0;
        if (argc > 1) {
            fprintf(stderr, "one rule %.1f ns, %d rules %.1f ns\n", one.wall_ns,
                    1 + FURTHER, all.wall_ns);
        }
    }
    if (!good) {
        fprintf(stderr, "bench_second_rule: something was told\n");
    }
    good = figure_report("second_rule_share", shares, ROUNDS, FIGURE_LOWER, 0.45, 0.33) &&
           good;
    tw_buf_done(&text);
    rig_free(r);
    return good ? 0 : 1;
}
