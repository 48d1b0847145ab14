// SPDX-License-Identifier: Apache-2.0
/* What the tests reached of the rules: lines of Lua functions, both answers of predicates, levels of alerts. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "flow/plan_emit.h"
#include "flow/plan_impact.h"
#include "ruletest_impl.h"

typedef struct share {
    uint32_t reached, of;
} share;

static void add(share *s, bool reached)
{
    s->reached += reached;
    s->of++;
}

static double percent(share s)
{
    return s.of ? 100.0 * s.reached / s.of : 100;
}

/* Functions of rules that no test is of count, too: every file gets a Lua state once. */
int tw_ruletests_cover(tw_ruletests *rt, tw_err *err)
{
    uint32_t count = tw_rule_files_rule_count(rt->files);
    const char **names = tw_calloc(count + 1, sizeof *names);
    int rc = TW_OK;

    for (uint32_t i = 0; i < count; i++)
        names[i] = tw_rule_files_rule(rt->files, i)->name;
    rt->coverage = tw_coverage_new();
    rt->reached = tw_map_new(NULL);
    tw_rule_files *all = tw_rule_files_select(rt->files, names, count);
    tw_rule_files_cover(all, rt->coverage);
    for (uint32_t i = 0; i < tw_rule_files_count(all) && rc == TW_OK; i++) {
        tw_script *script = tw_rule_script_new(all, i, 0, err);
        rc = script ? TW_OK : TW_EINVAL;
        tw_rule_script_free(script);
    }
    tw_rule_files_unref(all);
    tw_free(names);
    return rc;
}

static void mark(tw_map *reached, const char *rule, const char *what)
{
    char *name = tw_asprintf("%s %s", rule, what);

    tw_map_put(reached, name, (void *)(uintptr_t)1);
    tw_free(name);
}

void tw_test_run_reached(const tw_test_run *run, const json_t *change)
{
    const char *rule = json_string_value(json_object_get(change, "rule")),
               *what = json_string_value(json_object_get(change, "change")),
               *level = json_string_value(json_object_get(change, "level"));

    if (!rule || !what || !level)
        return;
    if (strcmp(what, "firing") == 0 || strcmp(what, "level") == 0)
        mark(run->reached, rule, level);
}

void tw_test_run_emitted(const tw_test_run *run, const json_t *event)
{
    const char *stream = json_string_value(json_object_get(event, "stream"));

    for (uint32_t i = 0; stream && i < tw_rule_files_rule_count(run->files); i++) {
        const tw_rule *rule = tw_rule_files_rule(run->files, i);
        if (rule->emit && strcmp(rule->emit->stream->name, stream) == 0)
            mark(run->reached, rule->name, "emit");
    }
}

void tw_test_run_found(const tw_test_run *run, const json_t *signal)
{
    const char *rule = json_string_value(json_object_get(signal, "rule")),
               *verdict = json_string_value(
                   json_object_get(json_object_get(signal, "facts"), "verdict"));

    if (rule && verdict)
        mark(run->reached, rule, verdict);
}

/* ---- the report -------------------------------------------------------------------- */

static void write_lines(const tw_file_coverage *f, share *s, FILE *out)
{
    int from = 0;

    for (int line = 1; line <= f->line_count; line++) {
        uint8_t mark = line < f->line_count ? f->lines[line] : TW_LINE_REACHED;
        bool missed = mark == TW_LINE_ACTIVE;
        if (mark && line < f->line_count)
            add(s, !missed);
        if (missed && !from)
            from = line;
        if (!from || missed || !mark)
            continue;
        int to = line - 1;
        while (to > from && !f->lines[to])
            to--;
        if (from == to)
            fprintf(out, "    line %d was not reached\n", from);
        else
            fprintf(out, "    lines %d to %d were not reached\n", from, to);
        from = 0;
    }
}

static void write_answers(const tw_file_coverage *f, share *s, FILE *out)
{
    for (int fn = 0; fn < f->fn_count; fn++) {
        if (!(f->fns[fn] & TW_FN_ASKED))
            continue;
        add(s, f->fns[fn] & TW_FN_HELD);
        add(s, f->fns[fn] & TW_FN_FAILED);
        if (!(f->fns[fn] & TW_FN_HELD))
            fprintf(out, "    the function of line %d was never true\n", f->fn_lines[fn]);
        if (!(f->fns[fn] & TW_FN_FAILED))
            fprintf(out, "    the function of line %d was never false\n",
                    f->fn_lines[fn]);
    }
}

static void write_result(const tw_ruletests *rt, const tw_rule *rule, const char *what,
                         share *s, FILE *out)
{
    char *name = tw_asprintf("%s %s", rule->name, what);
    bool reached = tw_map_get(rt->reached, name) != NULL;

    add(s, reached);
    if (!reached)
        fprintf(out, "    %s gave no %s\n", rule->name, what);
    tw_free(name);
}

/* Of an impact without a function as `when`: each verdict that is told. */
static void write_verdicts(const tw_ruletests *rt, const tw_rule *rule, share *s,
                           FILE *out)
{
    const tw_impact_plan *plan = rule->detail;

    for (int v = 0; v < TW_VERDICTS; v++)
        if (!rule->incident.set || plan->verdicts >> v & 1)
            write_result(rt, rule, tw_verdict_name((tw_verdict)v), s, out);
}

/* The levels it can be at, and that it emits. */
static void write_results(const tw_ruletests *rt, const tw_rule *rule, share *s,
                          FILE *out)
{
    bool has_levels = rule->detector == TW_DETECT_LEVEL;

    if (rule->emit)
        write_result(rt, rule, "emit", s, out);
    if (rule->detector == TW_DETECT_IMPACT && rule->incident.when_fn == TW_NO_FN)
        write_verdicts(rt, rule, s, out);
    if (!rule->incident.set)
        return;
    if (!has_levels)
        write_result(rt, rule, tw_level_name(rule->incident.severity), s, out);
    for (int i = TW_LEVEL_INFO; i < TW_LEVELS && has_levels; i++)
        if (rule->level.levels[i].used)
            write_result(rt, rule, tw_level_name((tw_level)i), s, out);
    if (has_levels && rule->level.has_nodata &&
        rule->level.nodata_be == TW_NODATA_UNKNOWN)
        write_result(rt, rule, tw_level_name(TW_LEVEL_UNKNOWN), s, out);
}

static share write_file(tw_ruletests *rt, const char *path, FILE *out)
{
    const tw_file_coverage *f = tw_coverage_file(rt->coverage, path);
    share s = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *missed = open_memstream(&text, &size);

    if (!missed)
        return s;
    write_lines(f, &s, missed);
    write_answers(f, &s, missed);
    for (uint32_t i = 0; i < tw_rule_files_rule_count(rt->files); i++) {
        const tw_rule *rule = tw_rule_files_rule(rt->files, i);
        if (strcmp(rule->file, path) == 0)
            write_results(rt, rule, &s, missed);
    }
    fclose(missed);
    fprintf(out, "  %5.1f %%  %s  (%" PRIu32 " of %" PRIu32 ")\n%s", percent(s), path,
            s.reached, s.of, text);
    free(text);
    return s;
}

double tw_ruletests_coverage_write(tw_ruletests *rt, FILE *out)
{
    share total = {0};

    fputs("coverage: lines and answers of functions, levels, verdicts, what is emitted\n",
          out);
    for (uint32_t i = 0; i < tw_rule_files_count(rt->files); i++) {
        share s = write_file(rt, tw_rule_files_path(rt->files, i), out);
        total.reached += s.reached;
        total.of += s.of;
    }
    fprintf(out, "  %5.1f %%  of all  (%" PRIu32 " of %" PRIu32 ")\n", percent(total),
            total.reached, total.of);
    return percent(total);
}
