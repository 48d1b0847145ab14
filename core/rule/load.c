// SPDX-License-Identifier: Apache-2.0
/* One rule file: text, a run in a fresh sandbox, the trees of what it registered, the plans. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "rule/load_error.h"
#include "rule/plan_test.h"
#include "rule/rule_files.h"

#define MAX_FILE_BYTES (1024 * 1024) /* what is read; the sandbox allows less */
#define MAX_SHAPE_BYTES (64 * 1024 * 1024)
#define ARENA_BLOCK 65536
#define MAX_LOAD_LINES 20

/* ---- reading ----------------------------------------------------------------------- */

char *tw_rule_text_read(const char *path, size_t *out_size, tw_err *err)
{
    struct stat st;
    char *text = NULL;
    size_t size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us */

    if (fd < 0 || fstat(fd, &st) != 0) {
        tw_err_at(err, TW_EIO, path, 0, 0, "%s", strerror(errno));
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        tw_err_at(err, TW_EIO, path, 0, 0, "not a file");
        goto out;
    }
    if (st.st_size > MAX_FILE_BYTES) {
        tw_err_at(err, TW_ELIMIT, path, 1, 0, "%lld bytes; a rule file may have 256 KiB",
                  (long long)st.st_size);
        goto out;
    }
    text = tw_alloc((size_t)st.st_size + 1);
    for (ssize_t n; size < (size_t)st.st_size; size += (size_t)n) {
        n = read(fd, text + size, (size_t)st.st_size - size);
        if (n < 0) {
            tw_err_at(err, TW_EIO, path, 0, 0, "%s", strerror(errno));
            tw_free(text);
            text = NULL;
            goto out;
        }
        if (n == 0)
            break;
    }
    *out_size = size;
out:
    if (fd >= 0)
        close(fd);
    return text;
}

bool tw_rule_file_load(tw_rule_file *out, const char *path,
                       const tw_rule_options *options, const tw_sandbox_limits *limits,
                       tw_findings *findings)
{
    tw_err err;
    size_t size = 0;
    char *text = tw_rule_text_read(path, &size, &err);

    if (!text) {
        tw_findings_add(findings, &err, false);
        return false;
    }
    bool good = tw_rule_file_read(out, path, text, size, options, limits, findings);
    tw_free(text);
    return good;
}

/* ---- running ----------------------------------------------------------------------- */

int tw_rule_file_run(const tw_rule_file *f, tw_words *words, tw_arena *arena,
                     tw_tree ***out_rules, uint32_t *out_count, char shape[33],
                     tw_err *err)
{
    tw_buf text;
    uint32_t count;

    int rc = tw_sandbox_load(words->box, f->path, f->text, f->size, err);
    if (rc < 0)
        return rc;
    rc = tw_words_count(words, &count, err);
    if (rc < 0)
        return tw_err_at(err, rc, f->path, 1, 0, "%s", err->text);
    tw_tree **rules = tw_arena_alloc(arena, (count + 1) * sizeof *rules);
    tw_buf_init(&text, MAX_SHAPE_BYTES);
    for (uint32_t i = 0; i < count && rc == TW_OK; i++) {
        rc = tw_words_rule(words, i, arena, &rules[i], err);
        if (rc < 0) /* the reader's own file and line mean nothing to the user */
            tw_err_at(err, err->code, f->path, rules[i] ? rules[i]->line : 0, 0, "%s",
                      err->text);
        else
            tw_tree_write(rules[i], NULL, 0, &text);
    }
    tw_hash_hex128(text.data, text.len, shape);
    tw_buf_done(&text);
    *out_rules = rules;
    *out_count = count;
    return rc;
}

static void say_refusals(tw_words *words, const tw_rule_text *source,
                         tw_findings *findings)
{
    tw_refusal *items;
    uint32_t count;
    tw_err err;

    if (tw_words_refusals(words, &items, &count, &err) < 0) {
        tw_findings_add(findings, &err, false);
        count = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = tw_locate_word(&source->tokens, items[i].word, items[i].line);
        const tw_token *token = at == TW_NO_TOKEN ? NULL : &source->tokens.items[at];
        tw_err_at(&err, TW_EUNSUPPORTED, source->path,
                  token ? token->line : items[i].line, token ? token->column : 0,
                  "'%s' is not supported yet", items[i].word);
        tw_findings_add(findings, &err, false);
    }
    tw_free(items);
}

/* ---- compiling --------------------------------------------------------------------- */

static int last_function(const tw_tree *t)
{
    int last = t->type == TW_TREE_FUNCTION ? t->fn : -1;
    for (uint32_t i = 0; i < t->item_count; i++) {
        int fn = last_function(t->items[i]);
        last = fn > last ? fn : last;
    }
    for (uint32_t i = 0; i < t->entry_count; i++) {
        int fn = last_function(t->entries[i].value);
        last = fn > last ? fn : last;
    }
    return last;
}

static void add_rule(tw_rule_file *f, tw_rule *rule, const tw_tree *tree,
                     const tw_rule_text *source)
{
    int last = last_function(tree), fn = f->fn_count;

    if (last >= fn) {
        f->fn_count = last + 1;
        f->fn_rule = tw_realloc(f->fn_rule, (size_t)f->fn_count * sizeof *f->fn_rule);
        for (; fn <= last; fn++)
            f->fn_rule[fn] = f->rule_count;
    }
    f->rules = tw_realloc(f->rules, (f->rule_count + 1) * sizeof *f->rules);
    f->columns = tw_realloc(f->columns, (f->rule_count + 1) * sizeof *f->columns);
    f->columns[f->rule_count] =
        tree->spot < source->tokens.count ? source->tokens.items[tree->spot].column : 0;
    f->rules[f->rule_count++] = rule;
}

static void add_stream(tw_rule_file *f, tw_stream *stream)
{
    for (uint32_t i = 0; i < f->stream_count; i++)
        if (f->streams[i] == stream)
            return;
    f->streams = tw_realloc(f->streams, (f->stream_count + 1) * sizeof *f->streams);
    f->streams[f->stream_count++] = stream;
}

/* The fields that functions read get slots in every stream that the file's rules read. What
 * is no path, or one too many, is read the slow way. */
static void place_fields(tw_rule_file *f, const tw_tokens *tokens)
{
    for (uint32_t i = 0; i < f->rule_count; i++)
        for (uint32_t k = 0; k < f->rules[i]->input_count; k++)
            add_stream(f, f->rules[i]->inputs[k].stream);
    if (f->fn_count > 0)
        f->fields = tw_locate_fields(tokens, &f->field_count);
    f->field_slots =
        tw_calloc((size_t)f->stream_count * f->field_count + 1, sizeof *f->field_slots);
    for (uint32_t i = 0; i < f->stream_count; i++) {
        for (uint32_t k = 0; k < f->field_count; k++) {
            int slot = tw_fields_slot(f->streams[i]->fields, f->fields[k], NULL);
            f->field_slots[i * f->field_count + k] =
                slot < 0 ? UINT32_MAX : (uint32_t)slot;
        }
    }
}

static void add_test(tw_rule_file *f, tw_compiler *c, tw_words *words, tw_tree *tree)
{
    tw_locate_rule(&c->source->tokens, tree);
    tw_rule_test *test = tw_compile_test(c, words, tree);
    if (!test)
        return;
    if ((f->test_count & (f->test_count - 1)) == 0)
        f->tests = tw_realloc(f->tests, (f->test_count ? 2 * f->test_count : 1) *
                                            sizeof(tw_rule_test *));
    f->tests[f->test_count++] = test;
}

/* Each test with scratch of its own: a file may have thousands. */
static void compile_tests(tw_rule_file *f, tw_compiler *c, tw_words *words,
                          uint32_t count)
{
    tw_arena scratch, *arena = c->arena;
    tw_tree *tree;
    tw_err err;

    tw_arena_init(&scratch, ARENA_BLOCK);
    c->arena = &scratch;
    for (uint32_t i = 0; i < count; i++) {
        if (tw_words_test(words, i, &scratch, &tree, &err) < 0) {
            tw_err_at(&err, err.code, f->path, tree ? tree->line : 0, 0, "%s", err.text);
            tw_findings_add(c->findings, &err, false);
            c->mistakes++;
        } else {
            add_test(f, c, words, tree);
        }
        tw_arena_reset(&scratch);
    }
    c->arena = arena;
    tw_arena_done(&scratch);
}

static uint32_t count_tests(const tw_rule_file *f, tw_compiler *c, tw_words *words)
{
    uint32_t count = 0;
    tw_err err;

    if (tw_words_test_count(words, &count, &err) == TW_OK)
        return count;
    tw_err_at(&err, err.code, f->path, 1, 0, "%s", err.text);
    tw_findings_add(c->findings, &err, false);
    return 0;
}

static void compile_rules(tw_rule_file *f, tw_compiler *c, tw_words *words,
                          tw_tree **rules, uint32_t count)
{
    uint32_t tests = count_tests(f, c, words);

    for (uint32_t i = 0; i < count; i++) {
        tw_locate_rule(&c->source->tokens, rules[i]);
        tw_rule *rule = tw_compile_rule(c, rules[i]);
        if (rule)
            add_rule(f, rule, rules[i], c->source);
    }
    if (words->wants_tests)
        compile_tests(f, c, words, tests);
    if (count == 0 && tests == 0 &&
        tw_findings_errors(c->findings, c->first_finding) == 0) {
        tw_err err;
        tw_err_at(&err, TW_EINVAL, f->path, 1, 0,
                  "the file declares nothing; it needs at least one rule \"team/name\" { "
                  "... }");
        tw_findings_add(c->findings, &err, false);
    }
}

static void run_and_compile(tw_rule_file *f, tw_words *words, tw_arena *arena,
                            const tw_rule_options *options, tw_findings *findings)
{
    tw_rule_text source = {.path = f->path, .text = f->text, .size = f->size};
    tw_compiler c = {.options = options,
                     .source = &source,
                     .findings = findings,
                     .first_finding = findings->count,
                     .arena = arena};
    tw_tree **rules;
    uint32_t count;
    tw_err err;

    int rc = tw_rule_file_run(f, words, arena, &rules, &count, f->shape, &err);
    if (f->size <= MAX_FILE_BYTES)
        tw_tokens_read(&source.tokens, f->text, f->size);
    if (rc < 0) {
        tw_load_error_complete(&err, &source);
        tw_findings_add(findings, &err, false);
    }
    say_refusals(words, &source, findings);
    if (rc == TW_OK)
        compile_rules(f, &c, words, rules, count);
    if (tw_findings_errors(findings, c.first_finding) == 0)
        place_fields(f, &source.tokens);
    tw_findings_sort(findings, c.first_finding);
    tw_tokens_done(&source.tokens);
}

/* Lines that a file logs while it is loaded; a loop must not fill the disk. */
typedef struct load_log {
    const tw_rule_options *options;
    const char *path;
    unsigned lines;
} load_log;

static void on_log(void *ud, const char *text, size_t n)
{
    load_log *log = ud;

    if (log->lines > MAX_LOAD_LINES)
        return;
    char *line = log->lines < MAX_LOAD_LINES
                     ? tw_strndup(text, n)
                     : tw_strdup("the file logs more while it is loaded; not written");
    log->lines++;
    log->options->log(log->options->log_self, log->path, line);
    tw_free(line);
}

bool tw_rule_file_read(tw_rule_file *out, const char *path, const char *text, size_t size,
                       const tw_rule_options *options, const tw_sandbox_limits *limits,
                       tw_findings *findings)
{
    tw_err err;
    tw_words words = {.wants_tests = options->tests};
    tw_arena arena;
    load_log log = {options, path, 0};
    size_t first = findings->count;

    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    *out = (tw_rule_file){.path = tw_strdup(path), .size = size};
    out->text = tw_alloc(size + 1);
    memcpy(out->text, text, size);
    tw_arena_init(&arena, ARENA_BLOCK);
    tw_sandbox *box = tw_sandbox_new(path, limits, &err);
    if (box) {
        tw_sandbox_attach(box, tw_rule_thread_guard());
        if (options->log)
            tw_sandbox_on_log(box, on_log, &log);
    }
    if (!box || tw_words_open(&words, box, &err) < 0)
        tw_findings_add(findings, &err, false);
    else
        run_and_compile(out, &words, &arena, options, findings);
    tw_sandbox_free(box);
    tw_arena_done(&arena);
    bool good = tw_findings_errors(findings, first) == 0;
    if (!good)
        tw_rule_file_done(out);
    return good;
}

void tw_rule_file_done(tw_rule_file *f)
{
    for (uint32_t i = 0; i < f->rule_count; i++)
        tw_rule_unref(f->rules[i]);
    for (uint32_t i = 0; i < f->field_count; i++)
        tw_free(f->fields[i]);
    for (uint32_t i = 0; i < f->test_count; i++)
        tw_rule_test_free(f->tests[i]);
    tw_free(f->tests);
    tw_free(f->rules);
    tw_free(f->columns);
    tw_free(f->fn_rule);
    tw_free(f->fields);
    tw_free(f->streams);
    tw_free(f->field_slots);
    tw_free(f->path);
    tw_free(f->text);
    *f = (tw_rule_file){0};
}
