// SPDX-License-Identifier: Apache-2.0
/* What goes wrong in the functions of a rule file, and what they log: counted always, written at most
 * a few times a second, since a predicate that raises does so for every event. On the script's
 * thread; only the sums are read by others, under the lock. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "rule/script_impl.h"

#define FAILURES_PER_SECOND 5
#define LINES_PER_SECOND 20

static const char *rule_name(const tw_lua_script *s, int fn)
{
    return fn >= 0 && fn < s->file->fn_count ? s->file->rules[s->file->fn_rule[fn]]->name
                                             : s->file->path;
}

/* ---- counting ---------------------------------------------------------------------- */

static uint64_t *sum_of(tw_script_failures *f, tw_sandbox_reason reason)
{
    switch (reason) {
    case TW_SANDBOX_ERROR:
        return &f->error;
    case TW_SANDBOX_CPU:
        return &f->cpu;
    case TW_SANDBOX_MEMORY:
        return &f->memory;
    case TW_SANDBOX_FINE:
    case TW_SANDBOX_REJECTED:
        break;
    }
    return &f->other;
}

/* Made when it first counts: most rules never fail. */
static void count_for_rule(tw_lua_script *s, int fn, tw_sandbox_reason reason)
{
    static const char *const reasons[TW_SCRIPT_REASONS] = {"error", "cpu", "memory",
                                                           "other"};
    uint32_t rule =
        fn >= 0 && fn < s->file->fn_count ? s->file->fn_rule[fn] : s->file->rule_count;
    uint32_t why = reason == TW_SANDBOX_ERROR    ? 0
                   : reason == TW_SANDBOX_CPU    ? 1
                   : reason == TW_SANDBOX_MEMORY ? 2
                                                 : 3;
    tw_counter **counter = &s->counters[rule * TW_SCRIPT_REASONS + why];
    const char *labels[] = {"rule", rule_name(s, fn), "reason", reasons[why], NULL};

    if (!s->stats)
        return;
    if (!*counter)
        *counter = tw_stats_counter(s->stats, "rule_failures_total",
                                    "Calls of a rule's functions that failed.", labels);
    tw_count(*counter, 1);
}

/* ---- writing ----------------------------------------------------------------------- */

bool tw_script_rate_allows(tw_script_rate *r, unsigned per_second)
{
    int64_t second = tw_mono_ms() / 1000;

    if (second != r->second) {
        r->second = second;
        r->passed = 0;
    }
    if (r->passed == per_second) {
        r->held_back++;
        return false;
    }
    r->passed++;
    return true;
}

static void log_failure(tw_lua_script *s, int fn, const char *text)
{
    if (!tw_script_rate_allows(&s->failure_rate, FAILURES_PER_SECOND))
        return;
    tw_log_warn("rule", "a function of a rule failed", "rule", rule_name(s, fn), "error",
                text, "not_logged_since", TW_LOG_INT(s->failure_rate.held_back), NULL);
    s->failure_rate.held_back = 0;
}

static void show_stopped(tw_lua_script *s, uint32_t rule, bool stopped)
{
    const char *labels[] = {"rule", s->file->rules[rule]->name, NULL};

    if (s->stats)
        tw_gauge_set(tw_stats_gauge(s->stats, "rule_stopped",
                                    "1: a function of the rule is not called any more "
                                    "until its file changes.",
                                    labels),
                     stopped);
}

static void count_overrun(tw_lua_script *s, int fn, const char *text)
{
    if (s->overruns[fn] == TW_SCRIPT_OVERRUNS || ++s->overruns[fn] < TW_SCRIPT_OVERRUNS)
        return;
    show_stopped(s, s->file->fn_rule[fn], true);
    tw_log_error(
        "rule",
        "a function always runs past its budget; it is not called any more until its "
        "file, parameters or limits change",
        "rule", rule_name(s, fn), "error", text, NULL);
}

int tw_script_failed(tw_lua_script *s, int fn, const tw_err *err)
{
    char text[sizeof err->text + sizeof err->file];
    tw_sandbox_reason reason = s->box ? tw_sandbox_last(s->box) : TW_SANDBOX_REJECTED;

    tw_err_format(err, text, sizeof text);
    pthread_mutex_lock(&s->lock);
    ++*sum_of(&s->failures, reason);
    snprintf(s->failures.last, sizeof s->failures.last, "%.255s", text);
    pthread_mutex_unlock(&s->lock);
    count_for_rule(s, fn, reason);
    log_failure(s, fn, text);
    if (s->box && tw_sandbox_dead(s->box))
        s->killed_by = fn;
    if (fn >= 0 && (reason == TW_SANDBOX_CPU || reason == TW_SANDBOX_MEMORY))
        count_overrun(s, fn, text);
    else if (fn >= 0)
        s->overruns[fn] = 0;
    return err->code < 0 ? err->code : TW_ESCRIPT;
}

void tw_script_on_log(void *ud, const char *text, size_t n)
{
    tw_lua_script *s = ud;

    if (!tw_script_rate_allows(&s->line_rate, LINES_PER_SECOND))
        return;
    char *line = s->line_rate.held_back
                     ? tw_asprintf("%.*s (and %u lines that were not written)", (int)n,
                                   text, s->line_rate.held_back)
                     : tw_strndup(text, n);
    s->line_rate.held_back = 0;
    if (s->set->log)
        s->set->log(s->set->log_self, s->file->path, line);
    else
        tw_log_info("rule", line, "file", s->file->path, NULL);
    tw_free(line);
}

/* ---- states that were given up ----------------------------------------------------- */

void tw_script_stop(tw_lua_script *s, const char *why)
{
    s->stopped = true;
    for (uint32_t i = 0; i < s->file->rule_count; i++)
        show_stopped(s, i, true);
    tw_log_error(
        "rule",
        "the functions of a rule file are not called any more until the file, its "
        "parameters or limits change",
        "file", s->file->path, "reason", why, NULL);
}

static bool is_same_file(const tw_lua_script *a, const tw_lua_script *b)
{
    const tw_rule_file *f = a->file, *g = b->file;

    if (f->size != g->size || f->rule_count != g->rule_count ||
        f->fn_count != g->fn_count || memcmp(f->text, g->text, f->size) != 0 ||
        memcmp(&a->set->limits, &b->set->limits, sizeof a->set->limits) != 0)
        return false;
    for (uint32_t i = 0; i < f->rule_count; i++) /* parameters are in the hash */
        if (strcmp(f->rules[i]->hash, g->rules[i]->hash) != 0)
            return false;
    return true;
}

void tw_rule_script_adopt(tw_script *fresh_base, tw_script *old_base)
{
    tw_lua_script *fresh = (tw_lua_script *)fresh_base, *old = (tw_lua_script *)old_base;
    bool any = old->stopped;

    for (int fn = 0; fn < old->file->fn_count && !any; fn++)
        any = old->overruns[fn] > 0;
    if (!any || !is_same_file(fresh, old))
        return;
    uint8_t *none = fresh->overruns;
    fresh->overruns = old->overruns;
    fresh->stopped = old->stopped;
    old->overruns = none; /* its end does not say that they are called again */
    old->stopped = false;
}

/* What was held back at the end is told now or never. */
void tw_script_end(tw_lua_script *s)
{
    for (int fn = 0; s->overruns && fn < s->file->fn_count; fn++)
        if (tw_script_is_stopped(s, fn))
            show_stopped(s, s->file->fn_rule[fn], false);
    if (s->failure_rate.held_back > 0)
        tw_log_warn("rule", "further calls of the file's functions failed", "file",
                    s->file->path, "not_logged_since",
                    TW_LOG_INT(s->failure_rate.held_back), NULL);
}

void tw_script_replaced(tw_lua_script *s)
{
    const char *labels[] = {"rule", rule_name(s, s->killed_by), NULL};

    if (s->stats)
        tw_count(tw_stats_counter(s->stats, "rule_states_replaced_total",
                                  "Lua states given up in the middle of a step and made "
                                  "anew.",
                                  labels),
                 1);
    tw_log_warn("rule",
                "a Lua state was given up and made anew; what its file kept in variables "
                "is gone",
                "rule", rule_name(s, s->killed_by), "file", s->file->path, NULL);
}
