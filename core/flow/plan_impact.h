// SPDX-License-Identifier: Apache-2.0
/* The plan of an `impact` rule. Immutable like its rule. */
#ifndef TW_FLOW_PLAN_IMPACT_H
#define TW_FLOW_PLAN_IMPACT_H

#include "flow/plan.h"

typedef enum tw_verdict {
    TW_VERDICT_BETTER,
    TW_VERDICT_SAME,
    TW_VERDICT_WORSE,
    TW_VERDICT_UNKNOWN /* too few samples on one side */
} tw_verdict;
enum { TW_VERDICTS = 4 };
const char *tw_verdict_name(tw_verdict v);

/* Facts, in this order. */
enum {
    TW_IMPACT_VERDICT,
    TW_IMPACT_BEFORE, /* means */
    TW_IMPACT_AFTER,
    TW_IMPACT_EFFECT, /* change of the mean, as a share of the mean before */
    TW_IMPACT_CONFIDENCE,
    TW_IMPACT_FACTS
};
extern const char *const tw_impact_facts[TW_IMPACT_FACTS];

typedef enum tw_worse { TW_WORSE_HIGHER, TW_WORSE_LOWER, TW_WORSE_EITHER } tw_worse;

typedef struct tw_impact_plan {
    uint32_t event, metric; /* inputs */
    uint32_t slot;          /* of the metric's value */
    int fn;                 /* or a mapper; TW_NO_FN */
    uint64_t metric_id;     /* of what a sample is, as it is written */
    int64_t before_ms, after_ms, settle_ms;
    tw_worse worse;
    double effect, confidence;
    uint32_t min;      /* samples on each side, at least 2 */
    uint32_t verdicts; /* bits: those that raise the alert */
} tw_impact_plan;

tw_impact_plan *tw_impact_plan_new(void);
void tw_impact_plan_free(void *plan);

/* "worse", "not better", "better or same": bits of verdicts. Negative: TW_EPARSE. */
int tw_verdicts_parse(const char *text, uint32_t *out_verdicts, tw_err *err);

#endif
