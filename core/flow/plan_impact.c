// SPDX-License-Identifier: Apache-2.0
#include "flow/plan_impact.h"

#include <string.h>

#include "base/mem.h"

static const char *const names[TW_VERDICTS] = {"better", "same", "worse", "unknown"};

const char *const tw_impact_facts[TW_IMPACT_FACTS] = {
    [TW_IMPACT_VERDICT] = "verdict",       [TW_IMPACT_BEFORE] = "before",
    [TW_IMPACT_AFTER] = "after",           [TW_IMPACT_EFFECT] = "effect",
    [TW_IMPACT_CONFIDENCE] = "confidence",
};

const char *tw_verdict_name(tw_verdict v)
{
    return names[v];
}

tw_impact_plan *tw_impact_plan_new(void)
{
    tw_impact_plan *p = tw_alloc(sizeof *p);

    p->fn = TW_NO_FN;
    p->effect = 0.1;
    p->confidence = 0.95;
    p->min = 5;
    p->verdicts = 1u << TW_VERDICT_WORSE;
    return p;
}

void tw_impact_plan_free(void *plan)
{
    tw_free(plan);
}

/* Moves over a word and the blanks or the comma behind it. */
static bool take_word(const char **text, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*text, word, n) != 0 || ((*text)[n] >= 'a' && (*text)[n] <= 'z')) {
        return false;
    }
    *text += n;
    *text += strspn(*text, " ");
    return true;
}

static bool take_verdict(const char **text, uint32_t *verdicts)
{
    for (uint32_t v = 0; v < TW_VERDICTS; v++) {
        if (take_word(text, names[v])) {
            *verdicts |= 1u << v;
            return true;
        }
    }
    return false;
}

int tw_verdicts_parse(const char *text, uint32_t *out_verdicts, tw_err *err)
{
    const char *at = text;
    bool is_not = take_word(&at, "not");
    uint32_t verdicts = 0;
    bool good = take_verdict(&at, &verdicts);

    while (good && *at) {
        good =
            (take_word(&at, "or") || take_word(&at, ",")) && take_verdict(&at, &verdicts);
    }
    if (!good) {
        return tw_err_set(err, TW_EPARSE,
                          "\"%.60s\" is not a choice of verdicts; write \"worse\", \"not "
                          "better\" or \"worse or unknown\"",
                          text);
    }
    *out_verdicts = is_not ? verdicts ^ ((1u << TW_VERDICTS) - 1) : verdicts;
    return TW_OK;
}
