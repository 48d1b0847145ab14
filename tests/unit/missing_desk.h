// SPDX-License-Identifier: Apache-2.0
/* A desk (detecting.h) for the missing detector: its rules, and tables whose keys are hosts of one letter. */
#ifndef TW_TEST_MISSING_DESK_H
#define TW_TEST_MISSING_DESK_H

#include <stdlib.h>

#include "detecting.h"
#include "flow/plan_missing.h"

static inline tw_missing_plan *plan_of(const tw_rule *r)
{
    return r->detail;
}

/* Heartbeats are input a, input b takes keys off. */
static inline tw_rule *missing_rule(int64_t every_ms, int64_t grace_ms, int64_t learn_ms)
{
    tw_rule *r = desk_rule();
    tw_missing_plan *p = tw_missing_plan_new();

    r->detector = TW_DETECT_MISSING;
    r->detail = p;
    r->detail_free = tw_missing_plan_free;
    r->fact_count = 2;
    r->facts = tw_calloc(2, sizeof *r->facts);
    r->facts[0] = tw_strdup("silent");
    r->facts[1] = tw_strdup("last_seen");
    p->stop_input = 1;
    p->every_ms = every_ms;
    p->grace_ms = grace_ms;
    p->learn_ms = learn_ms;
    return r;
}

static inline tw_rule *table_rule(int64_t guard_ms)
{
    tw_rule *r = missing_rule(1000, 500, 0);

    plan_of(r)->table = tw_strdup("hosts");
    plan_of(r)->guard_ms = guard_ms;
    return r;
}

/* ---- tables ---- */

static inline tw_table *table_of(const char *text)
{
    char path[] = "/tmp/tw-missing-XXXXXX.csv";
    int fd = mkstemps(path, 4);
    tw_err err = {0};

    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    fputs(text, f);
    fclose(f);
    tw_table *t = tw_table_open("hosts", path, NULL, &err);
    if (!t) {
        fail_msg("%s", err.text);
    }
    remove(path);
    return t;
}

/* A plan whose key is the column "host", of rows whose "state" is "up". */
static inline tw_missing_plan *columns_plan(void)
{
    tw_missing_plan *p = tw_missing_plan_new();
    tw_value up = tw_value_string("up", 2);
    tw_match m = {.op = TW_MATCH_EQ, .value_count = 1, .values = &up};

    p->streams = tw_streams_new();
    tw_fields *fields = tw_streams_add(p->streams, "hosts")->fields;
    p->columns[0] = (uint32_t)tw_fields_slot(fields, "host", NULL);
    p->column_count = 1;
    m.slot = (uint32_t)tw_fields_slot(fields, "state", NULL);
    p->where = tw_match_table_new();
    assert_int_equal(tw_match_table_add(p->where, &m, NULL), 0);
    return p;
}

/* The table has these hosts now. */
static inline void expect_keys(desk *d, const char *names)
{
    tw_missing_plan *p = columns_plan();
    char text[200] = "host\n";

    tw_match_table_free(p->where);
    p->where = NULL;
    for (const char *at = names; *at; at++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%c%s",
                 *at == ' ' ? '\n' : *at, at[1] ? "" : "\n");
    }
    tw_table *t = table_of(text);
    tw_expected *e = tw_expected_new(p, tw_table_rows(t));
    d->det->cls->expect(d->det, e, d->clock_ms, d->clock_ms);
    tw_expected_unref(e);
    tw_table_free(t);
    tw_missing_plan_free(p);
}

/* An event of a key as a table gives it. */
static inline void heard(desk *d, int64_t at_ms, char name, uint32_t input)
{
    tw_value slots[SLOT_END] = {0};
    tw_projection p = {.slot_count = SLOT_END};
    uint8_t scratch[TW_MAX_KEY_BYTES];
    uint32_t slot = SLOT_VALUE;
    tw_event ev = {
        .time_ms = at_ms, .offset = d->offset++, .projection = &p, .slots = slots};
    tw_key key;

    slots[SLOT_VALUE] = tw_value_string(&name, 1);
    assert_true(tw_key_from_event(&ev, &slot, 1, scratch, &key));
    if (at_ms > d->clock_ms) {
        advance(d, at_ms);
    }
    if (input == 0) {
        d->det->cls->heard(d->det, at_ms, at_ms, d->clock_ms);
    }
    d->det->cls->event(d->det, &key, input, &ev, at_ms, d->clock_ms);
}

/* As expect_line, with the keys of a table shown by their name: "1500 a level ok>crit -". */
static inline void expect_told(desk *d, const char *line)
{
    char shown[120];
    char *to = shown;

    if (d->line_read >= d->line_count) {
        fail_msg("nothing told, expected \"%s\"", line);
    }
    for (const char *from = d->lines[d->line_read++]; *from; from++) {
        if (from[0] == 's' && from[1] == 1) {
            from++; /* a text of one byte */
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    assert_string_equal(shown, line);
}

#endif
