// SPDX-License-Identifier: Apache-2.0
/* The rule loader. Whatever the text: it is a set of plans or it has findings with a place in
 * the text; a second load says the same; and the functions of what was accepted can be called. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "rule/rule_files.h"
#include "target.h"

#define insist(condition)                                                                \
    ((condition) ? (void)0                                                               \
                 : (fprintf(stderr, "line %d: %s\n", __LINE__, #condition), abort()))

static const tw_sandbox_limits limits = {
    .memory_bytes = 4 << 20, .string_bytes = 65536, .cpu_ms = 50, .load_cpu_ms = 200};

static void no_log(void *self, const char *rule_file, const char *message)
{
    (void)self;
    (void)rule_file;
    (void)message;
}

static int lines_of(const char *text, size_t size)
{
    int lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n' || text[i] == '\r';
    return lines;
}

static void insist_on_findings(const tw_findings *f, int lines)
{
    insist(f->count > 0);
    for (size_t i = 0; i < f->count; i++) {
        const tw_err *e = &f->items[i].err;
        insist(e->text[0] && strcmp(e->file, "rules.lua") == 0);
        insist(e->line >= 0 && e->line <= lines && e->column >= 0);
    }
}

/* ---- a host that has nothing and allows nothing ------------------------------------ */

static int64_t host_now(tw_handler_host *h)
{
    (void)h;
    return 0;
}

static tw_value host_get(tw_handler_host *h, const char *name)
{
    (void)h;
    return name[0] == 'n' ? tw_value_int(1) : tw_value_absent();
}

static int host_set(tw_handler_host *h, const char *name, tw_value v, tw_err *err)
{
    (void)h;
    (void)v;
    return name[0] == 'x' ? tw_err_set(err, TW_ELIMIT, "full") : TW_OK;
}

static int host_wait(tw_handler_host *h, const char *name, int64_t after_ms, tw_err *err)
{
    (void)h;
    (void)after_ms;
    return name[0] == 'x' ? tw_err_set(err, TW_ELIMIT, "full") : TW_OK;
}

static int host_fire(tw_handler_host *h, json_t *options, tw_err *err)
{
    (void)h;
    (void)err;
    insist(json_is_object(options));
    return TW_OK;
}

static int host_resolve(tw_handler_host *h, tw_err *err)
{
    (void)h;
    (void)err;
    return TW_OK;
}

static const struct tw_handler_host_class host_class = {
    host_now, host_get, host_set, host_wait, host_wait, host_fire, host_resolve};

/* ---- calling ----------------------------------------------------------------------- */

static tw_value read_lazily(void *self, const tw_event *ev, const tw_path_step *steps,
                            uint32_t count)
{
    static const char json[] = "{\"a\":[1,2.5,null,\"\\u00e9\\n\"],\"b\":{}}";
    (void)self;
    (void)ev;
    insist(count > 0);
    switch (steps[0].name ? steps[0].name_len % 4 : 0) {
    case 0:
        return (tw_value){.s = json, .len = sizeof json - 1, .type = TW_JSON};
    case 1:
        return tw_value_int(500);
    case 2:
        return tw_value_absent();
    default:
        return tw_value_string("text", 4);
    }
}

static void call_all(tw_rule_files *set)
{
    static const tw_event_reader reader = {read_lazily};
    tw_err err;
    tw_handler_host host = {&host_class};
    tw_projection projection = {.slot_count = 0};
    tw_event ev = {
        .projection = &projection, .reader = &reader, .raw = "{}", .raw_len = 2};
    tw_script *s = tw_rule_script_new(set, 0, 7, &err);
    int count = set->files[0].fn_count;

    for (int fn = 0; s && fn < count && fn < 8; fn++) {
        bool answer, has;
        double number;
        s->cls->test_event(s, fn, &ev, &answer);
        s->cls->map_event(s, fn, &ev, &number, &has);
        s->cls->handle_event(s, fn, &ev, "ev", &host);
        s->cls->handle_timer(s, fn, "timer", &host);
        s->cls->test_result(s, fn, &(tw_result){0}, &answer);
    }
    tw_rule_script_free(s);
}

/* The set that tw_rules_load would make of the one file; frees the file. */
static void call_file(tw_rule_file *file, tw_streams *streams)
{
    tw_rule_files *set = tw_alloc(sizeof *set);
    atomic_init(&set->refs, 1);
    set->files = tw_alloc(sizeof *set->files);
    set->files[0] = *file;
    set->file_count = 1;
    set->streams = streams;
    set->limits = limits;
    set->log = no_log;
    call_all(set);
    tw_rule_files_unref(set);
}

static bool load(tw_rule_file *out, tw_streams *streams, const char *text, size_t size,
                 tw_findings *findings)
{
    tw_rule_options options = {
        .streams = streams, .any_stream = true, .tests = true, .log = no_log};
    return tw_rule_file_read(out, "rules.lua", text, size, &options, &limits, findings);
}

static void compare(const tw_rule_file *a, const tw_rule_file *b)
{
    if (strcmp(a->shape, b->shape) != 0)
        return; /* it depends on chance */
    insist(a->rule_count == b->rule_count && a->fn_count == b->fn_count);
    for (uint32_t i = 0; i < a->rule_count; i++) {
        insist(strcmp(a->rules[i]->hash, b->rules[i]->hash) == 0);
        insist(strcmp(a->rules[i]->state_hash, b->rules[i]->state_hash) == 0);
    }
}

/* The watchdog's thread is costly to start, so it stays for all inputs. */
static void start_once(void)
{
    static bool started;
    if (started)
        return;
    tw_log_setup(stderr, TW_LOG_ERROR, TW_LOG_LOGFMT);
    insist(tw_rule_thread_enter(NULL) == TW_OK);
    started = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    tw_streams *streams = tw_streams_new();
    tw_findings findings = {0};
    tw_rule_file file, again;

    start_once();
    if (load(&file, streams, text, size, &findings)) {
        insist(file.rule_count + file.test_count > 0);
        if (load(&again, streams, text, size, &findings))
            compare(&file, &again);
        tw_rule_file_done(&again);
        call_file(&file, streams);
    } else {
        insist_on_findings(&findings, lines_of(text, size));
    }
    tw_findings_done(&findings);
    tw_streams_free(streams);
    return 0;
}
