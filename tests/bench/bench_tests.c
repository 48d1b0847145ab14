// SPDX-License-Identifier: Apache-2.0
/* tests_per_second: a file of 1,000 small tests (five events, a fire and a resolve, a predicate in Lua) as `tidewatch
 * test` runs it: load the file, run every test in an engine of its own, wall time. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "figures.h"
#include "ruletest.h"

enum { TESTS = 1000, ROUNDS = 9 };

static const char text[] =
    "rule \"shop/errors\" {\n"
    "  key = { \"service\" }, params = { fire = 3 },\n"
    "  inputs = { req = from \"requests\" { code = gte(500),\n"
    "    where = function(e) return e.service ~= \"x\" end } },\n"
    "  detect = level { of = count \"req\", over = \"1m\", crit = { above = P\"fire\" } "
    "},\n"
    "  alert = incident { id = \"e:${service}\", title = \"${service}: ${value}\" },\n"
    "}\n"
    "for i = 1, 1000 do\n"
    "  test(\"number \" .. i) {\n"
    "    rule = \"shop/errors\",\n"
    "    feed = { { \"0s..20s/5s\", \"requests\", { service = \"s\" .. i, code = 503 } } "
    "},\n"
    "    expect = { { \"15s\", \"crit\", { service = \"s\" .. i } }, { \"1m5s\", \"ok\" "
    "} },\n"
    "  }\n"
    "end\n";

/* Tests a second, or 0 when not all of them passed. */
static double run_file(const char *path)
{
    tw_findings findings = {0};
    tw_err err = {0};
    uint32_t passed = 0;
    int64_t start_ns = tw_mono_ns();
    tw_ruletests *rt = tw_ruletests_new(&path, 1, NULL, &findings, &err);

    for (uint32_t i = 0; rt && i < tw_ruletests_count(rt); i++) {
        tw_ruletest_outcome o;
        tw_ruletests_run(rt, i, &o);
        passed += o.passed;
        tw_ruletest_outcome_done(&o);
    }
    tw_ruletests_free(rt);
    tw_findings_done(&findings);
    double seconds = (double)(tw_mono_ns() - start_ns) / 1e9;
    return passed == TESTS ? TESTS / seconds : 0;
}

int main(void)
{
    char path[] = "/tmp/tidewatch-bench-XXXXXX.lua";
    double rates[ROUNDS];
    bool good = true;
    int fd = mkstemps(path, 4);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

    tw_log_setup(stderr, TW_LOG_ERROR, TW_LOG_LOGFMT);
    if (!out || fputs(text, out) < 0 || fclose(out) != 0) {
        perror(path);
        return 2;
    }
    for (int i = 0; i < ROUNDS; i++) {
        rates[i] = run_file(path);
        good = good && rates[i] > 0;
    }
    unlink(path);
    if (!good)
        fprintf(stderr, "bench_tests: a test did not pass\n");
    return figure_report("tests_per_second", rates, ROUNDS, FIGURE_HIGHER, 500, 5000) &&
                   good
               ? 0
               : 1;
}
