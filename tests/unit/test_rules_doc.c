// SPDX-License-Identifier: Apache-2.0
/* docs/RULES.md says what is so. Its fenced blocks, by their language:
 *
 *     lua          a rule file, or options that are put behind those of a plain rule; must load
 *     lua refused  must not; each line of the `text` block behind it is one of the findings
 *     csv          the table service_owner from here on
 *     ndjson       replayed through the rule before it
 *     json         what comes out, line by line; members may be left out */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "flow/table.h"
#include "replay.h"

typedef struct page {
    char dir[64];
    FILE *in;
    int line;         /* read last */
    char info[64];    /* of the block */
    char *text;       /* of the block; from here on owned until the next */
    char *rule, *fed; /* the newest lua and ndjson blocks */
    int rule_line;
    tw_table *table;
    int loaded, refused, replayed;
} page;

/* The next line of *rest, which moves on; NULL at the end. Empty lines do not count. */
static char *take_line(char **rest)
{
    char *line = *rest + strspn(*rest, "\n");
    size_t n = strcspn(line, "\n");

    *rest = line + n + (line[n] == '\n');
    line[n] = '\0';
    return n ? line : NULL;
}

static char *read_until_fence(page *p)
{
    char *text = NULL, *line = NULL;
    size_t size = 0, room = 0;
    FILE *out = open_memstream(&text, &size);

    while (getline(&line, &room, p->in) >= 0) {
        p->line++;
        if (strncmp(line, "```", 3) == 0)
            break;
        fputs(line, out);
    }
    fclose(out);
    free(line);
    return text;
}

static bool next_block(page *p)
{
    char *line = NULL;
    size_t room = 0;
    bool found = false;

    free(p->text);
    p->text = NULL;
    while (!found && getline(&line, &room, p->in) >= 0) {
        p->line++;
        found = strncmp(line, "```", 3) == 0;
        if (found)
            snprintf(p->info, sizeof p->info, "%.*s", (int)strcspn(line + 3, "\n"),
                     line + 3);
    }
    free(line);
    if (found)
        p->text = read_until_fence(p);
    return found;
}

static void write_file(const page *p, const char *name, const char *before,
                       const char *text, const char *after)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "%s%s%s", before, text, after);
    fclose(f);
}

static void write_rule(const page *p)
{
    static const char before[] =
        "rule \"doc/example\" { key = { \"host\" }, inputs = { ev = from \"events\" {}, "
        "req = from \"requests\" {}, m = from \"metrics\" {} }, detect = level { of = "
        "count \"ev\", over = \"5m\", crit = { at_least = 3 } }, alert = incident {}, ";
    bool whole = strncmp(p->rule, "rule \"", 6) == 0;
    write_file(p, "rule.lua", whole ? "" : before, p->rule, whole ? "" : "}");
}

static json_t *table_row(void *self, const char *table, const char *key, int64_t at_ms)
{
    const page *p = self;
    (void)table;
    return p->table ? json_incref(tw_rows_at(tw_table_rows(p->table), key, at_ms)) : NULL;
}

static tw_replay *open_replay(page *p, tw_streams **out_streams, tw_findings *findings)
{
    static const char *const tables[] = {"service_owner", "inventory", NULL};
    static const char *const streams[] = {"events", "requests", "metrics", "heartbeats",
                                          "deploys"};
    char path[128];
    const char *paths[] = {path};
    tw_err err = {0};

    snprintf(path, sizeof path, "%s/rule.lua", p->dir);
    *out_streams = tw_streams_new();
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        tw_streams_add(*out_streams, streams[i]);
    tw_table_view *view = tw_table_view_new(&p->table, p->table ? 1 : 0);
    tw_replay_options options = {.table_view = view,
                                 .rule_paths = paths,
                                 .rule_path_count = 1,
                                 .streams = *out_streams,
                                 .tables = tables,
                                 .lookup = {table_row, p},
                                 .until_ms = TW_TIME_NONE};
    tw_replay *r = tw_replay_new(&options, findings, &err);
    tw_table_view_unref(view);
    return r;
}

static void must_load(page *p)
{
    tw_streams *streams;
    tw_findings findings = {0};

    write_rule(p);
    tw_replay *r = open_replay(p, &streams, &findings);
    if (!r || findings.count > 0)
        fail_msg("docs/RULES.md:%d: %s", p->rule_line,
                 findings.count ? findings.items[0].err.text : "not loaded");
    tw_replay_free(r);
    tw_findings_done(&findings);
    tw_streams_free(streams);
    p->loaded++;
}

static bool is_found(const tw_findings *findings, const char *text)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].err.text, text) == 0)
            return true;
    return false;
}

static void must_be_refused(page *p)
{
    tw_streams *streams;
    tw_findings findings = {0};
    size_t lines = 0;

    write_rule(p);
    assert_null(open_replay(p, &streams, &findings));
    assert_true(next_block(p));
    assert_string_equal(p->info, "text");
    for (char *rest = p->text, *line; (line = take_line(&rest)); lines++)
        if (!is_found(&findings, line))
            fail_msg("docs/RULES.md:%d: not told: %s", p->line, line);
    if (lines != findings.count)
        fail_msg("docs/RULES.md:%d: %zu lines for %zu findings", p->line, lines,
                 findings.count);
    tw_findings_done(&findings);
    tw_streams_free(streams);
    p->refused++;
}

/* Every member of `part` is in `whole` with an equal value. */
static bool holds(const json_t *whole, json_t *part)
{
    const char *name;
    json_t *value;

    if (!json_is_object(part))
        return json_equal(whole, part) ||
               (json_is_number(whole) && json_is_number(part) &&
                json_number_value(whole) == json_number_value(part));
    json_object_foreach(part, name, value)
    {
        if (!holds(json_object_get(whole, name), value))
            return false;
    }
    return true;
}

static char *replay_out(page *p)
{
    tw_streams *streams;
    tw_findings findings = {0};
    tw_err err = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    write_rule(p);
    tw_replay *r = open_replay(p, &streams, &findings);
    for (char *rest = p->fed, *line; (line = take_line(&rest));)
        if (tw_replay_line(r, line, strlen(line), &err) < 0)
            fail_msg("docs/RULES.md:%d: %s: %s", p->line, err.text, line);
    tw_replay_end(r);
    tw_replay_write(r, out);
    fclose(out);
    tw_replay_free(r);
    tw_findings_done(&findings);
    tw_streams_free(streams);
    return text;
}

static void must_come_out(page *p)
{
    char *out = replay_out(p), *got_rest = out, *want_rest = p->text;

    for (;;) {
        char *got = take_line(&got_rest);
        char *want = take_line(&want_rest);
        if (!got && !want)
            break;
        json_t *whole = json_loads(got ? got : "{}", 0, NULL);
        json_t *part = json_loads(want ? want : "{}", 0, NULL);
        if (!got || !want || !part || !holds(whole, part))
            fail_msg("docs/RULES.md:%d: says %s\ngot %s", p->line,
                     want ? want : "nothing", got ? got : "nothing");
        json_decref(whole);
        json_decref(part);
    }
    free(out);
    p->replayed++;
}

static void keep(char **where, page *p)
{
    free(*where);
    *where = p->text;
    p->text = NULL;
}

static void read_table(page *p)
{
    char path[128];
    tw_err err;
    tw_table_columns columns = {.key = "service"};
    write_file(p, "table.csv", "", p->text, "");
    if (strstr(p->text, "valid_from"))
        columns.since = "valid_from";
    snprintf(path, sizeof path, "%s/table.csv", p->dir);
    tw_table_free(p->table);
    p->table = tw_table_open_with("service_owner", path, &columns, &err);
    assert_non_null(p->table);
}

static void take_block(page *p)
{
    if (strcmp(p->info, "lua") == 0 || strcmp(p->info, "lua refused") == 0) {
        p->rule_line = p->line;
        keep(&p->rule, p);
        if (p->info[3])
            must_be_refused(p);
        else
            must_load(p);
    } else if (strcmp(p->info, "ndjson") == 0) {
        keep(&p->fed, p);
    } else if (strcmp(p->info, "json") == 0) {
        must_come_out(p);
    } else if (strcmp(p->info, "csv") == 0) {
        read_table(p);
    } else if (p->info[0] && strcmp(p->info, "yaml") != 0) {
        fail_msg("docs/RULES.md:%d: what is a block of '%s'?", p->line, p->info);
    }
}

static void every_example_of_the_page_is_so(void **state)
{
    page p = {.dir = "/tmp/tw-doc-XXXXXX"};
    char command[128];
    (void)state;

    tw_log_setup(stderr, TW_LOG_ERROR, TW_LOG_LOGFMT);
    assert_non_null(mkdtemp(p.dir));
    p.in = fopen(TW_SOURCE_DIR "/docs/RULES.md", "r");
    assert_non_null(p.in);
    while (next_block(&p))
        take_block(&p);
    assert_true(p.loaded >= 8 && p.refused >= 3 && p.replayed >= 6);
    fclose(p.in);
    free(p.rule);
    free(p.fed);
    tw_table_free(p.table);
    snprintf(command, sizeof command, "rm -r %s", p.dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_of_the_page_is_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
