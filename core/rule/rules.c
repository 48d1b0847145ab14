// SPDX-License-Identifier: Apache-2.0
/* A set of rule files: loads each, keeps the good ones, sorts their rules by name and finds names that
 * are there twice. */
#include "rule/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "rule/plan_test.h"
#include "rule/rule_files.h"

static tw_sandbox_limits limits_of(const tw_rule_options *options)
{
    return (tw_sandbox_limits){.memory_bytes = options->memory_bytes,
                               .cpu_ms = options->cpu_ms,
                               .load_cpu_ms = options->load_cpu_ms};
}

/* ---- names ------------------------------------------------------------------------- */

typedef struct place {
    const char *file;
    int line;
} place;

static void free_place(void *p)
{
    tw_free(p);
}

/* Told at the second place; both are named. The file of the second contributes nothing. */
static bool names_are_new(tw_map *names, const tw_rule_file *f, tw_findings *findings)
{
    bool good = true;
    for (uint32_t i = 0; i < f->rule_count; i++) {
        const tw_rule *r = f->rules[i];
        const place *first = tw_map_get(names, r->name);
        tw_err err;
        if (first) {
            tw_err_at(&err, TW_EINVAL, f->path, r->line, f->columns[i],
                      "rule '%s' is declared twice; it is also at %s:%d", r->name,
                      first->file, first->line);
            tw_findings_add(findings, &err, false);
            good = false;
            continue;
        }
        place *here = tw_alloc(sizeof *here);
        *here = (place){r->file, r->line};
        tw_map_put(names, r->name, here);
    }
    return good;
}

static void forget_names(tw_map *names, const tw_rule_file *f)
{
    for (uint32_t i = 0; i < f->rule_count; i++) {
        const place *at = tw_map_get(names, f->rules[i]->name);
        if (at && at->file == f->rules[i]->file)
            tw_map_remove(names, f->rules[i]->name);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(tw_rule *const *)a)->name, (*(tw_rule *const *)b)->name);
}

static void collect_rules(tw_rule_files *set)
{
    for (uint32_t i = 0; i < set->file_count; i++) {
        tw_rule_file *f = &set->files[i];
        set->rules = tw_realloc(set->rules,
                                (set->rule_count + f->rule_count) * sizeof *set->rules);
        for (uint32_t k = 0; k < f->rule_count; k++) {
            f->rules[k]->script = i;
            set->rules[set->rule_count++] = f->rules[k];
        }
    }
    tw_rule_tests_collect(set);
    if (set->rule_count > 1)
        qsort(set->rules, set->rule_count, sizeof *set->rules, by_name);
}

static void place_at(tw_err *err, const tw_err *at)
{
    memcpy(err->file, at->file, sizeof err->file);
    err->line = at->line;
    err->column = at->column;
}

/* A path that cannot be read is told where the configuration names it. */
static void place_paths(const tw_rule_options *options, tw_findings *findings,
                        size_t first)
{
    for (size_t i = first; options->where && i < findings->count; i++) {
        tw_err *err = &findings->items[i].err, told = *err, at = {0};
        if (!options->where(options->where_self, told.file, NULL, NULL, &at))
            continue;
        tw_err_set(err, told.code, "%.300s: %.600s", told.file, told.text);
        place_at(err, &at);
    }
}

/* Overrides of rules that are not there: a warning, since the rule may come later. */
static void check_overrides(const tw_rule_files *set, const tw_rule_options *options,
                            tw_findings *findings)
{
    json_t *params = options->params;
    const char *name;
    json_t *value;
    const char **names = tw_calloc(set->rule_count + 1, sizeof *names);

    for (uint32_t i = 0; i < set->rule_count; i++)
        names[i] = set->rules[i]->name;
    json_object_foreach(params, name, value)
    {
        tw_rule key = {.name = (char *)(uintptr_t)name}, *at = &key;
        tw_err err = {0}, at_name = {0};
        if (set->rule_count > 0 &&
            bsearch(&at, set->rules, set->rule_count, sizeof *set->rules, by_name))
            continue;
        const char *nearest = tw_nearest(name, names, set->rule_count);
        tw_err_set(&err, TW_ENOTFOUND, "params: there is no rule '%s'%s%s%s", name,
                   nearest ? " (did you mean '" : "", nearest ? nearest : "",
                   nearest ? "'?)" : "");
        if (options->where &&
            options->where(options->where_self, NULL, name, NULL, &at_name))
            place_at(&err, &at_name);
        tw_findings_add(findings, &err, true);
    }
    tw_free(names);
}

/* An inhibition that names no rule of the set would never hold anything back. */
static void check_inhibitors(const tw_rule_files *set, const tw_rule *r,
                             tw_findings *findings)
{
    const char **names = tw_calloc(set->rule_count + 1, sizeof *names);

    for (uint32_t i = 0; i < set->rule_count; i++)
        names[i] = set->rules[i]->name;
    for (uint32_t i = 0; i < r->incident.inhibitor_count; i++) {
        const tw_inhibitor *by = &r->incident.inhibitors[i];
        tw_rule key = {.name = by->rule}, *at = &key;
        tw_err err;
        tw_rule **found = by->rule ? bsearch(&at, set->rules, set->rule_count,
                                             sizeof *set->rules, by_name)
                                   : NULL;
        if (!by->rule || (found && (*found)->incident.set))
            continue;
        const char *nearest = found ? NULL : tw_nearest(by->rule, names, set->rule_count);
        tw_err_at(&err, TW_ENOTFOUND, r->file, by->line, by->column,
                  found ? "inhibited_by: the rule '%s' raises no incident%s%s%s"
                        : "inhibited_by: there is no rule '%s'%s%s%s",
                  by->rule, nearest ? " (did you mean '" : "", nearest ? nearest : "",
                  nearest ? "'?)" : "");
        tw_findings_add(findings, &err, false);
    }
    tw_free(names);
}

static void check_set(const tw_rule_files *set, const tw_rule_options *options,
                      tw_findings *findings)
{
    check_overrides(set, options, findings);
    tw_rules_check_was(set, findings);
    for (uint32_t i = 0; i < set->rule_count; i++)
        check_inhibitors(set, set->rules[i], findings);
}

/* ---- the set ----------------------------------------------------------------------- */

static void load_files(tw_rule_files *set, char *const *paths, size_t count,
                       const tw_rule_options *options, tw_findings *findings)
{
    tw_map *names = tw_map_new(free_place);

    set->files = tw_calloc(count + 1, sizeof *set->files);
    for (size_t i = 0; i < count; i++) {
        tw_rule_file *f = &set->files[set->file_count];
        if (!tw_rule_file_load(f, paths[i], options, &set->limits, findings))
            continue;
        if (names_are_new(names, f, findings)) {
            set->file_count++;
        } else {
            forget_names(names, f);
            tw_rule_file_done(f);
        }
    }
    tw_map_free(names);
}

tw_rule_files *tw_rules_load(const char *const *paths, size_t path_count,
                             const tw_rule_options *options, tw_findings *out_findings)
{
    tw_rule_files *set = tw_alloc(sizeof *set);
    tw_findings unread = {0}, *findings = out_findings ? out_findings : &unread;
    size_t first = findings->count, count = 0;
    tw_err err;

    atomic_init(&set->refs, 1);
    set->streams = options->streams;
    set->limits = limits_of(options);
    set->log = options->log;
    set->log_self = options->log_self;
    if (path_count == 0)
        return set;
    if (tw_rule_thread_enter(&err) < 0) {
        tw_findings_add(findings, &err, false);
        return set;
    }
    char **files = tw_rule_paths(paths, path_count, findings, &count);
    place_paths(options, findings, first);
    tw_rule_options mine = *options;
    char **emitted = tw_rules_emitted(files, count);
    mine.emitted = (const char *const *)emitted;
    load_files(set, files, count, &mine, findings);
    collect_rules(set);
    if (tw_findings_errors(findings, first) == 0)
        tw_rules_check_chains(set, options, findings);
    for (size_t i = 0; emitted[i]; i++)
        tw_free(emitted[i]);
    tw_free(emitted);
    if (tw_findings_errors(findings, first) == 0) {
        check_set(set, options, findings);
        tw_rule_tests_resolve(set, findings);
    }
    tw_rule_thread_leave();
    for (size_t i = 0; i < count; i++)
        tw_free(files[i]);
    tw_free(files);
    tw_findings_done(&unread);
    return set;
}

tw_rule_files *tw_rule_files_ref(tw_rule_files *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void tw_rule_files_unref(tw_rule_files *f)
{
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (f->parent) {
        tw_rule_files_deselect(f);
        return;
    }
    for (uint32_t i = 0; i < f->file_count; i++)
        tw_rule_file_done(&f->files[i]);
    tw_free(f->files);
    tw_free(f->rules);
    tw_free(f->tests);
    tw_free(f);
}

uint32_t tw_rule_files_rule_count(const tw_rule_files *f)
{
    return f->rule_count;
}

tw_rule *tw_rule_files_rule(const tw_rule_files *f, uint32_t i)
{
    return f->rules[i];
}

uint32_t tw_rule_files_count(const tw_rule_files *f)
{
    return f->file_count;
}

const char *tw_rule_files_path(const tw_rule_files *f, uint32_t i)
{
    return f->files[i].path;
}

/* ---- slots ------------------------------------------------------------------------- */

typedef struct slot_list {
    uint32_t *items;
    uint32_t count;
} slot_list;

static void add_slots(slot_list *l, const uint32_t *slots, uint32_t count)
{
    if (count == 0)
        return;
    l->items = tw_realloc(l->items, (l->count + count) * sizeof *l->items);
    for (uint32_t i = 0; i < count; i++)
        if (slots[i] != UINT32_MAX)
            l->items[l->count++] = slots[i];
}

static void add_input_slots(slot_list *l, const tw_rule *r, uint32_t input)
{
    tw_match_table_slots(r->inputs[input].match, &l->items, &l->count);
    add_slots(l, &r->inputs[input].time_slot, 1);
    add_slots(l, r->key_slots + (size_t)input * r->key_count, r->key_count);
    add_slots(l, r->carried_slots + (size_t)input * r->carried_count, r->carried_count);
    add_slots(l, r->carried_first_slots + (size_t)input * r->carried_first_count,
              r->carried_first_count);
    if (r->reads)
        add_slots(l, r->reads[input].slots, r->reads[input].count);
    if (r->kept_slots)
        add_slots(l, r->kept_slots + (size_t)input * r->kept_count, r->kept_count);
    for (uint32_t i = 0; i < r->level.agg_count; i++) {
        const tw_aggregate *agg = &r->level.aggs[i];
        if (agg->input != input)
            continue;
        tw_match_table_slots(agg->match, &l->items, &l->count);
        if (agg->has_field)
            add_slots(l, &agg->slot, 1);
        if (agg->has_second)
            add_slots(l, &agg->second, 1);
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_and_drop_repeats(slot_list *l)
{
    uint32_t kept = 0;
    if (l->count > 1)
        qsort(l->items, l->count, sizeof *l->items, by_number);
    for (uint32_t i = 0; i < l->count; i++)
        if (l->items[i] >= TW_SLOT_FIRST_FIELD &&
            (kept == 0 || l->items[kept - 1] != l->items[i]))
            l->items[kept++] = l->items[i];
    l->count = kept;
}

uint32_t *tw_rule_files_slots(const tw_rule_files *f, const tw_stream *stream,
                              uint32_t *out_count)
{
    slot_list l = {0};

    for (uint32_t i = 0; i < f->rule_count; i++)
        for (uint32_t k = 0; k < f->rules[i]->input_count; k++)
            if (f->rules[i]->inputs[k].stream == stream)
                add_input_slots(&l, f->rules[i], k);
    for (uint32_t i = 0; i < f->file_count; i++) {
        const tw_rule_file *file = &f->files[i];
        for (uint32_t k = 0; k < file->stream_count; k++)
            if (file->streams[k] == stream)
                add_slots(&l, file->field_slots + (size_t)k * file->field_count,
                          file->field_count);
    }
    if (l.count > 0 && stream->time_path) {
        int slot = tw_fields_slot(stream->fields, stream->time_path, NULL);
        if (slot >= 0)
            add_slots(&l, &(uint32_t){(uint32_t)slot}, 1);
    }
    sort_and_drop_repeats(&l);
    *out_count = l.count;
    return l.items;
}
