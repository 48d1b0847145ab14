// SPDX-License-Identifier: Apache-2.0
#include "detect/pass.h"

#include "base/clock.h"
#include "base/mem.h"

typedef struct pass {
    tw_detector base;
    tw_rule *rule;
    tw_detect_env env;
    tw_value *fields; /* carried ones, then those of the first event, which is the same */
} pass;

static tw_detector *pass_new(tw_rule *rule, const tw_detect_env *env, tw_err *err)
{
    pass *p = tw_alloc(sizeof *p);

    (void)err;
    p->base.cls = &tw_pass_class;
    p->rule = tw_rule_ref(rule);
    p->env = *env;
    p->fields =
        tw_calloc(rule->carried_count + rule->carried_first_count + 1, sizeof *p->fields);
    return &p->base;
}

static void pass_free(tw_detector *base)
{
    pass *p = (pass *)base;

    if (!p) {
        return;
    }
    tw_rule_unref(p->rule);
    tw_free(p->fields);
    tw_free(p);
}

static void pass_event(tw_detector *base, const tw_key *key, uint32_t input,
                       const tw_event *ev, int64_t time_ms, int64_t clock_ms)
{
    pass *p = (pass *)base;
    const tw_rule *r = p->rule;
    const uint32_t *slots = r->carried_slots + (size_t)input * r->carried_count;
    const uint32_t *first =
        r->carried_first_slots + (size_t)input * r->carried_first_count;

    (void)clock_ms;
    for (uint32_t n = 0; n < r->carried_count; n++) {
        p->fields[n] = tw_event_slot(ev, slots[n]);
    }
    for (uint32_t n = 0; n < r->carried_first_count; n++) {
        p->fields[r->carried_count + n] = tw_event_slot(ev, first[n]);
    }
    tw_signal s = {.rule = p->rule,
                   .kind = TW_SIGNAL_VALUE,
                   .at_ms = time_ms,
                   .seq = ev->seq,
                   .key = *key,
                   .fields = p->fields,
                   .first_fields = p->fields + r->carried_count,
                   .newest = tw_event_origin(ev),
                   .newest_ms = time_ms,
                   .start_ms = TW_TIME_NONE,
                   .stop_ms = TW_TIME_NONE,
                   .event = ev};
    p->env.out.signal(p->env.out.self, &s);
}

static void pass_advance(tw_detector *base, int64_t clock_ms)
{
    (void)base, (void)clock_ms;
}

static int64_t pass_next_deadline(const tw_detector *base)
{
    (void)base;
    return INT64_MAX;
}

static void pass_fate(const tw_rule *fresh, const tw_rule *old, tw_edit *out)
{
    (void)fresh, (void)old;
    tw_edit_add(out, TW_FATE_KEPT, 0, "it remembers nothing");
}

static void pass_adopt(tw_detector *base, tw_detector *old, int64_t clock_ms)
{
    (void)base, (void)old, (void)clock_ms;
}

static void pass_save(const tw_detector *base, tw_buf *out)
{
    (void)base, (void)out;
}

static int pass_load(tw_detector *base, tw_state_in *in, tw_err *err)
{
    (void)base, (void)in, (void)err;
    return TW_OK;
}

static uint64_t pass_key_count(const tw_detector *base)
{
    (void)base;
    return 0;
}

const tw_detector_class tw_pass_class = {
    .name = "pass",
    .new = pass_new,
    .free = pass_free,
    .event = pass_event,
    .advance = pass_advance,
    .next_deadline = pass_next_deadline,
    .fate = pass_fate,
    .adopt = pass_adopt,
    .save = pass_save,
    .load = pass_load,
    .key_count = pass_key_count,
};
