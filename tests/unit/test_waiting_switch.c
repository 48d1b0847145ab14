// SPDX-License-Identifier: Apache-2.0
/* Rules change while events of them wait for the clock and lanes read on: what the old rules kept waiting is given
 * back before the lanes go on, since it stands in memory of theirs. ctest: threads */
#include <sched.h>

#include "engine.h"
#include "engine_fixture.h"

enum { LANES = 2, SWITCHES = 40, READ_EACH = 200, MOST = 32 };

typedef struct fake_feed {
    tw_feed base;
    char text[MOST][80];
    int64_t offset;
    _Atomic int64_t read;
} fake_feed;

static int give(tw_feed *base, tw_frame *frames, int max)
{
    fake_feed *f = (fake_feed *)base;
    int count = max < MOST ? max : MOST;

    for (int i = 0; i < count; i++) {
        int n =
            snprintf(f->text[i], sizeof f->text[i], "{\"host\":\"h%lld\",\"zone\":\"z\"}",
                     (long long)(f->offset % 7));
        frames[i] = (tw_frame){.data = f->text[i],
                               .size = (size_t)n,
                               .offset = f->offset,
                               .time_ms = 1 + f->offset};
        f->offset++;
    }
    f->read += count;
    return count;
}

static void take_back(tw_feed *base, tw_frame *frames, int count)
{
    (void)base, (void)frames, (void)count;
}

/* With another key, what waits under the old one is dropped. */
static void switch_to(engine_desk *d, rules_fixture *x, const char *key)
{
    char text[256];

    snprintf(
        text, sizeof text,
        "rule \"a/b\" { key = \"%s\", clock = { lateness = \"2s\" }, inputs = { ev = "
        "from "
        "\"events\" {} }, detect = change { \"ev\", of = \"state\" }, alert = incident "
        "{} }",
        key);
    engine_load(d, x, text);
}

static void what_waits_is_given_back_before_the_lanes_go_on(void **state)
{
    rules_fixture *x = *state;
    fake_feed feeds[LANES] = {0};
    tw_feed_state fed[LANES];
    tw_source_type type = {.poll = give, .release = take_back};
    engine_desk d;
    int64_t next;

    engine_open_lanes(&d, x, (tw_engine_options){.lanes = LANES});
    switch_to(&d, x, "host");
    for (int i = 0; i < LANES; i++) {
        fed[i] = (tw_feed_state){.feed = &feeds[i].base,
                                 .type = &type,
                                 .partition = i,
                                 .stream = tw_streams_find(x->options.streams, "events")};
        tw_engine_feed_add(d.engine, &fed[i]);
    }
    for (int n = 0; n < SWITCHES; n++) {
        int64_t until = feeds[0].read + READ_EACH;
        while (feeds[0].read < until) {
            tw_engine_collect(d.engine);
            sched_yield();
        }
        switch_to(&d, x, n % 2 ? "host" : "zone");
    }
    for (int i = 0; i < LANES; i++)
        tw_engine_feed_remove(d.engine, &fed[i], &next);
    engine_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_waits_is_given_back_before_the_lanes_go_on,
                                        open_rules, shut_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
