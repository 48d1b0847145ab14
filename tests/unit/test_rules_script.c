// SPDX-License-Identifier: Apache-2.0
/* The functions of rule files, called with decoded events. */
#include "base/clock.h"
#include "decode/decode.h"
#include "rules_fixture.h"

typedef struct bench {
    rules_fixture *x;
    tw_script *script;
    tw_projection *projection;
    tw_decode_plan *plan;
    tw_decoder *decoder;
    tw_stream *stream;
} bench;

/* Loads a file with one input `ev` whose functions are 0, 1, ... and makes its script. */
static bench start(void **state, const char *text)
{
    bench b = {.x = *state};
    tw_err err;
    uint32_t count;

    load_rules(b.x, text);
    assert_string_equal(first_finding(b.x), "");
    b.stream = tw_streams_find(b.x->options.streams, "events");
    uint32_t *slots = tw_rule_files_slots(b.x->set, b.stream, &count);
    b.projection = tw_projection_new(b.stream->fields, slots, count);
    tw_free(slots);
    b.plan = tw_decode_plan_new(b.stream, b.projection, TW_SLOT_TIME);
    b.decoder = tw_decoder_new(&(tw_decode_limits)TW_DECODE_LIMITS_DEFAULT);
    b.script = tw_rule_script_new(b.x->set, 0, 1, &err);
    if (!b.script)
        fail_msg("%s", err.text);
    return b;
}

static void stop(bench *b)
{
    tw_rule_script_free(b->script);
    tw_decoder_free(b->decoder);
    tw_decode_plan_free(b->plan);
    tw_projection_free(b->projection);
}

static void with_event(bench *b, const char *json, void (*f)(void *, const tw_event *),
                       void *self)
{
    char padded[4096] = "";
    tw_err err;
    tw_decode_origin origin = {.partition = 3,
                               .offset = 77,
                               .time_ms = TW_TIME_NONE,
                               .arrival_ms = 1700000000000};
    tw_event_port port = {f, self};

    snprintf(padded, sizeof padded, "%s", json);
    if (tw_decode(b->decoder, b->plan, b->stream, padded, strlen(json), &origin, &port,
                  &err) != 1)
        fail_msg("%s", err.text);
}

typedef struct question {
    bench *b;
    int fn, rc;
    bool answer;
} question;

static void ask(void *self, const tw_event *ev)
{
    question *q = self;
    q->rc = q->b->script->cls->test_event(q->b->script, q->fn, ev, &q->answer);
}

static int test(bench *b, int fn, const char *json, bool *out)
{
    question q = {.b = b, .fn = fn};
    with_event(b, json, ask, &q);
    *out = q.answer;
    return q.rc;
}

static bool holds(bench *b, int fn, const char *json)
{
    bool answer;
    if (test(b, fn, json, &answer) != TW_OK) {
        tw_script_failures f;
        tw_rule_script_failures(b->script, &f);
        fail_msg("%s", f.last);
    }
    return answer;
}

#define RULE(body)                                                                       \
    "rule \"a/b\" { key = \"k\", params = { fire = 5, name = \"x\" }, inputs = { ev = "  \
    "from "                                                                              \
    "\"events\" { where = function(e) " body                                             \
    " end } }, detect = level { of = count \"ev\", "                                     \
    "over = \"5m\", crit = { above = 5 } }, alert = incident {} }\n"

static bool where(void **state, const char *rule, const char *json)
{
    bench b = start(state, rule);
    bool answer = holds(&b, 0, json);
    stop(&b);
    return answer;
}

/* The message of a call that raised. */
static const char *failure(void **state, const char *rule, const char *json)
{
    static char text[256];
    bool answer;
    tw_script_failures f;
    bench b = start(state, rule);
    assert_true(test(&b, 0, json, &answer) < 0);
    assert_false(answer);
    tw_rule_script_failures(b.script, &f);
    assert_int_equal(f.error + f.cpu + f.memory + f.other, 1);
    memcpy(text, f.last, sizeof text);
    stop(&b);
    const char *place = strstr(text, "rule.lua:");
    return place ? place : text;
}

/* ---- events -------------------------------------------------------------------------- */

static void a_predicate_reads_fields(void **state)
{
    const char *rule = RULE("return e.code >= 500 and e.host == 'web-1'");
    assert_true(where(state, rule, "{\"code\":503,\"host\":\"web-1\"}"));
    assert_false(where(state, rule, "{\"code\":404,\"host\":\"web-1\"}"));
    assert_false(where(state, rule, "{\"code\":503,\"host\":\"web-2\"}"));
}

static void values_have_the_types_of_json(void **state)
{
    const char *rule = RULE(
        "return math.type(e.i) == 'integer' and math.type(e.d) == 'float' and e.b == "
        "true and e.n == null and e.n ~= nil and e.gone == nil and e.s == 'a\\nb' and "
        "e.big == 9223372036854775807 and e.huge == '123456789012345678901234567890' "
        "and tostring(e.n) == 'null'");
    assert_true(where(state, rule,
                      "{\"i\":5,\"d\":5.5,\"b\":true,\"n\":null,\"s\":\"a\\nb\",\"big\":"
                      "9223372036854775807,\"huge\":123456789012345678901234567890}"));
}

static void nested_values_are_tables(void **state)
{
    const char *rule =
        RULE("local l = e.labels return l.zone == 'z' and l.deep.x == 1.5 and #e.tags == "
             "3 and "
             "e.tags[1] == 'a' and e.tags[2] == null and e.tags[3].y == "
             "'\xc3\xa9\xf0\x9f\x98\x80\"' "
             "and next(e.empty) == nil and l.big == 9007199254740993 and l.no == false");
    assert_true(where(
        state, rule,
        "{\"labels\":{\"zone\":\"z\",\"deep\":{\"x\":15e-1},\"big\":9007199254740993,"
        "\"no\":false}, \"tags\":[\"a\", null ,{\"y\":\"\\u00e9\\ud83d\\ude00\\\"\"}],"
        "\"empty\":{}}"));
}

static void a_name_with_dots_is_a_path(void **state)
{
    const char *rule =
        RULE("local path = 'labels.' .. 'zone' return e['labels.zone'] == 'z' and "
             "e[path] == 'z' and e['tags[1]'] == 'b' and e['[\"a.b\"]'] == 1");
    assert_true(where(state, rule,
                      "{\"labels\":{\"zone\":\"z\"},\"tags\":[\"a\",\"b\"],\"a.b\":1}"));
}

static void reserved_paths_are_read(void **state)
{
    const char *rule =
        RULE("return e['@time'] == 1700000000000 and e['@stream'] == 'events' and "
             "e['@partition'] == 3 and e['@offset'] == 77");
    assert_true(where(state, rule, "{}"));
}

static void a_field_that_no_text_names_is_found_too(void **state)
{
    const char *rule =
        RULE("local n = 0 for i = 1, 3000 do if e['f' .. i] == i then n = n + 1 end "
             "end return n == 2 and e.f7 == 7");
    assert_true(where(state, rule, "{\"f7\":7,\"f2999\":2999,\"f3\":4}"));
}

static void fields_may_have_long_names(void **state)
{
    const char *rule =
        RULE("return e.a_name_that_is_longer_than_forty_bytes_is_one_too == 1 and "
             "e.a_name_that_is_longer_than_forty_bytes_is_not_one == nil");
    assert_true(
        where(state, rule, "{\"a_name_that_is_longer_than_forty_bytes_is_one_too\":1}"));
}

static void an_event_is_lent_for_one_call(void **state)
{
    bench b = start(
        state, "kept = {}\n" RULE("if kept.e then return kept.e.code == 1 end kept.e "
                                  "= e return true"));
    bool answer;
    assert_true(holds(&b, 0, "{\"code\":1}"));
    /* The same userdata stands for the next event. */
    assert_false(holds(&b, 0, "{\"code\":2}"));
    tw_result r = {0};
    assert_int_equal(b.script->cls->test_result(b.script, 0, &r, &answer), TW_ESCRIPT);
    tw_script_failures f;
    tw_rule_script_failures(b.script, &f);
    assert_non_null(strstr(f.last, "an event is only lent for the call it is given to"));
    stop(&b);
}

static void an_event_cannot_be_changed_or_walked(void **state)
{
    assert_string_equal(failure(state, RULE("e.code = 1"), "{}"),
                        "rule.lua:1: what a rule is lent cannot be changed");
    assert_non_null(strstr(failure(state, RULE("for k in pairs(e) do end"), "{}"),
                           "not supported yet"));
    assert_non_null(
        strstr(failure(state, RULE("return e[1]"), "{}"), "named by a string"));
    assert_non_null(
        strstr(failure(state, RULE("return e['a..b']"), "{}"), "a name is missing"));
    assert_null(strstr(failure(state, RULE("return e.x.y"), "{}"), "(null)"));
}

static void a_failure_names_file_and_line(void **state)
{
    assert_string_equal(
        failure(state, "\n\n" RULE("return e.code > 5"), "{\"code\":\"a\"}"),
        "rule.lua:3: attempt to compare number with string");
}

static void parameters_are_read_while_running(void **state)
{
    assert_true(where(state, RULE("return P'fire' == 5 and P\"name\" == 'x'"), "{}"));
    assert_non_null(strstr(failure(state, RULE("return P'fier'"), "{}"),
                           "the rule has no parameter 'fier'"));
}

static void a_rule_cannot_be_declared_while_running(void **state)
{
    assert_non_null(
        strstr(failure(state, RULE("rule 'a/c' {}"), "{}"), "declared by the file"));
}

static void each_rule_has_its_own_functions_and_parameters(void **state)
{
    bench b = start(
        state,
        "for i = 1, 3 do rule('a/' .. i) { key = 'k', params = { n = i }, inputs = { ev "
        "= from 'events' { where = function(e) return e.n == i and P'n' == i "
        "end } }, detect = level { of = count 'ev', over = '5m', crit = { above "
        "= 5 } }, alert = incident {} } end");
    for (uint32_t i = 0; i < 3; i++) {
        char json[32];
        snprintf(json, sizeof json, "{\"n\":%u}", i + 1);
        int fn = tw_rule_files_rule(b.x->set, i)->inputs[0].where_fn;
        assert_true(holds(&b, fn, json));
        assert_false(holds(&b, (fn + 1) % 3, json));
    }
    stop(&b);
}

static void an_endless_predicate_is_stopped_and_the_next_call_works(void **state)
{
#if defined(__SANITIZE_THREAD__)
    (void)state;
    skip();
#else
    rules_fixture *x = *state;
    bool answer;
    tw_script_failures f;
    x->options.cpu_ms = 20;
    bench b = start(state, RULE("while e.code == 1 do end return true"));
    assert_true(test(&b, 0, "{\"code\":1}", &answer) < 0);
    tw_rule_script_failures(b.script, &f);
    assert_int_equal(f.cpu, 1);
    assert_true(holds(&b, 0, "{\"code\":2}"));
    stop(&b);
#endif
}

static void garbage_at_run_time_is_stopped_and_the_next_call_works(void **state)
{
    bool answer;
    tw_script_failures f;
    bench b =
        start(state, RULE("if e.code == 1 then local t = {} for i = 1, 1e9 do t[i] = "
                          "('x'):rep(100000) .. i end end return true"));
    assert_true(test(&b, 0, "{\"code\":1}", &answer) < 0);
    tw_rule_script_failures(b.script, &f);
    assert_int_equal(f.memory, 1);
    assert_true(holds(&b, 0, "{\"code\":2}"));
    stop(&b);
}

static void a_file_that_depends_on_chance_gives_no_script(void **state)
{
    rules_fixture *x = *state;
    tw_err err;
    load_rules(x,
               "rule('a/b' .. math.random(1e9)) { key = 'k', inputs = { ev = from "
               "'events' {} }, detect "
               "= level { of = count 'ev', over = '5m', crit = { above = 5 } }, alert = "
               "incident {} }");
    assert_string_equal(first_finding(x), "");
    assert_null(tw_rule_script_new(x->set, 0, 12345, &err));
    assert_non_null(strstr(err.text, "must not depend on chance"));
}

/* ---- mappers and results ------------------------------------------------------------- */

typedef struct mapping {
    bench *b;
    int rc;
    double value;
    bool has;
} mapping;

static void map(void *self, const tw_event *ev)
{
    mapping *m = self;
    m->rc = m->b->script->cls->map_event(m->b->script, 0, ev, &m->value, &m->has);
}

static void a_mapper_gives_a_number_or_nothing(void **state)
{
    bench b = start(state, RULE("return e.a and e.a * 2"));
    mapping m = {.b = &b};
    with_event(&b, "{\"a\":2.5}", map, &m);
    assert_true(m.rc == TW_OK && m.has);
    assert_float_equal(m.value, 5, 0);
    with_event(&b, "{}", map, &m);
    assert_true(m.rc == TW_OK && !m.has);
    with_event(&b, "{\"a\":1e308}", map, &m);
    assert_true(m.rc == TW_OK && !m.has); /* infinite */
    stop(&b);
    b = start(state, RULE("return 'text'"));
    with_event(&b, "{}", map, &m);
    assert_int_equal(m.rc, TW_ESCRIPT);
    stop(&b);
}

static void a_condition_reads_values_by_name(void **state)
{
    const char *const names[] = {"errors", "requests", "none"};
    const double values[] = {60, 100, 0};
    const bool has[] = {true, true, false};
    tw_result r = {names, values, has, 3};
    bool answer = false;
    tw_script_failures f;

    bench b = start(state, RULE("return e.errors / e.requests > 0.5 and e.none == nil"));
    assert_int_equal(b.script->cls->test_result(b.script, 0, &r, &answer), TW_OK);
    assert_true(answer);
    stop(&b);
    b = start(state, RULE("return e.erors > 1"));
    assert_int_equal(b.script->cls->test_result(b.script, 0, &r, &answer), TW_ESCRIPT);
    tw_rule_script_failures(b.script, &f);
    assert_non_null(strstr(f.last, "the rule measures nothing called 'erors'"));
    stop(&b);
}

/* ---- handlers ------------------------------------------------------------------------ */

typedef struct fake_host {
    tw_handler_host base;
    char log[2048];
    char name[64], text[256];
    tw_value value;
} fake_host;

static void note(tw_handler_host *h, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void note(tw_handler_host *h, const char *format, ...)
{
    fake_host *f = (fake_host *)h;
    size_t used = strlen(f->log);
    va_list ap;
    va_start(ap, format);
    vsnprintf(f->log + used, sizeof f->log - used, format, ap);
    va_end(ap);
}

static int64_t host_now(tw_handler_host *h)
{
    (void)h;
    return 1234;
}

static tw_value host_get(tw_handler_host *h, const char *name)
{
    fake_host *f = (fake_host *)h;
    return strcmp(f->name, name) == 0 ? f->value : tw_value_absent();
}

static int host_set(tw_handler_host *h, const char *name, tw_value v, tw_err *err)
{
    fake_host *f = (fake_host *)h;
    tw_buf b;
    if (strcmp(name, "full") == 0)
        return tw_err_set(err, TW_ELIMIT, "the state of this key is full");
    tw_buf_init(&b, 256);
    tw_value_write_json(v, &b);
    note(h, "set %s %s %d;", name, b.data, v.type);
    tw_buf_done(&b);
    snprintf(f->name, sizeof f->name, "%s", name);
    f->value = v;
    if (v.type >= TW_STRING) {
        snprintf(f->text, sizeof f->text, "%.*s", (int)v.len, v.s);
        f->value.s = f->text;
    }
    return TW_OK;
}

static int host_expire(tw_handler_host *h, const char *name, int64_t after_ms,
                       tw_err *err)
{
    (void)err;
    note(h, "expire %s %lld;", name, (long long)after_ms);
    return TW_OK;
}

static int host_timer(tw_handler_host *h, const char *name, int64_t after_ms, tw_err *err)
{
    (void)err;
    note(h, "timer %s %lld;", name, (long long)after_ms);
    return TW_OK;
}

static int host_fire(tw_handler_host *h, json_t *options, tw_err *err)
{
    (void)err;
    char *text = json_dumps(options, JSON_COMPACT);
    note(h, "fire %s;", text);
    free(text);
    return TW_OK;
}

static int host_resolve(tw_handler_host *h, tw_err *err)
{
    (void)err;
    note(h, "resolve;");
    return TW_OK;
}

static const struct tw_handler_host_class fake_host_class = {
    host_now, host_get, host_set, host_expire, host_timer, host_fire, host_resolve};

#define HANDLER(on_event)                                                                \
    "rule \"a/b\" { key = \"k\", inputs = { ev = from \"events\" {} }, detect = "        \
    "handler { "                                                                         \
    "on_event = function(e, ctx) " on_event                                              \
    " end, on_timer = function(name, ctx) if name == 'quiet' then ctx.resolve() end "    \
    "end }, "                                                                            \
    "alert = incident {} }\n"

typedef struct handling {
    bench *b;
    fake_host host;
    int rc;
} handling;

static void handle(void *self, const tw_event *ev)
{
    handling *h = self;
    h->rc = h->b->script->cls->handle_event(h->b->script, 0, ev, "ev", &h->host.base);
}

/* What the host saw, or the message of the failure. */
static const char *handled(void **state, const char *rule, const char *json)
{
    static char text[2048];
    bench b = start(state, rule);
    handling h = {.b = &b, .host.base.cls = &fake_host_class};
    tw_script_failures f;
    with_event(&b, json, handle, &h);
    tw_rule_script_failures(b.script, &f);
    snprintf(text, sizeof text, "%s", h.rc == TW_OK ? h.host.log : f.last);
    stop(&b);
    return text;
}

static void a_handler_keeps_state_in_the_engine(void **state)
{
    assert_string_equal(
        handled(
            state,
            HANDLER(
                "local s = ctx.state if s.get('n') == nil then s.set('n', e.code) end "
                "s.set('n', s.get('n') + 0.5) s.expire('n', '5m') s.set('n', nil)"),
            "{\"code\":3}"),
        "set n 3 3;set n 3.5 4;expire n 300000;set n null 0;");
    assert_string_equal(
        handled(state,
                HANDLER("local a = ctx.state.incr('n') local b = "
                        "ctx.state.incr('n', 4) ctx.state.set('sum', a + b)"),
                "{}"),
        "set n 1 3;set n 5 3;set sum 6 3;");
}

static void tables_are_kept_as_json(void **state)
{
    assert_string_equal(
        handled(
            state,
            HANDLER(
                "local s = ctx.state s.set('t', { b = { 1, 2.5, null }, a = 'x' }) local "
                "t = "
                "s.get('t') s.set('n', t.a .. #t.b) s.set('l', e.tags) s.set('z', null)"),
            "{\"tags\":[]}"),
        "set t {\"a\":\"x\",\"b\":[1,2.5,null]} 7;set n \"x3\" 5;set l [] 7;set z null "
        "1;");
}

static void a_handler_sets_timers_and_fires(void **state)
{
    assert_string_equal(
        handled(state,
                HANDLER("ctx.timer('quiet', '90s') ctx.timer('quiet', nil) if ctx.now == "
                        "1234 and "
                        "ctx.input == 'ev' then ctx.fire { severity = 'warn', title = "
                        "'T', labels = "
                        "{ b = 1, a = e.host } } end ctx.fire() ctx.resolve()"),
                "{\"host\":\"h\"}"),
        "timer quiet 90000;timer quiet -1;fire "
        "{\"labels\":{\"a\":\"h\",\"b\":1},\"severity\":\"warn\",\"title\":\"T\"};fire "
        "{};resolve;");
}

static void a_timer_reaches_the_handler(void **state)
{
    bench b = start(state, HANDLER(""));
    fake_host host = {.base.cls = &fake_host_class};
    assert_int_equal(b.script->cls->handle_timer(b.script, 1, "quiet", &host.base),
                     TW_OK);
    assert_string_equal(host.log, "resolve;");
    stop(&b);
}

static void what_a_handler_does_wrong_is_told(void **state)
{
    const struct {
        const char *rule, *text;
    } wrong[] = {
        {HANDLER("ctx.fire { sevrity = 'warn' }"),
         "fire: 'sevrity' is not an option (did you mean 'severity'?)"},
        {HANDLER("ctx.fire { severity = 'bad' }"),
         "fire: severity is \"info\", \"warn\" or \"crit\""},
        {HANDLER("ctx.fire { title = 5 }"), "fire: title is a string, not a number"},
        {HANDLER("ctx.timer('x', '5 min')"), "\"5 min\" is not a duration"},
        {HANDLER("ctx.state.set('full', 1)"), "the state of this key is full"},
        {HANDLER("ctx.state.set('x', function() end)"), "a function cannot leave a rule"},
        {HANDLER("ctx.state.set('x', 0/0)"), "the state holds finite numbers only"},
        {HANDLER("local t = {} t.t = t ctx.state.set('x', t)"), "too large"},
        {HANDLER("ctx.state.set('x', { [1.5] = 2 })"), "a list or has names as keys"},
        {HANDLER("ctx.state.set('x', 'a') ctx.state.incr('x')"),
         "does not hold a number"},
        {HANDLER("ctx.state.set('', 'a')"), "a name has 1 to 128 bytes"},
        {HANDLER("ctx.sate.set('x', 'a')"), "ctx has no 'sate'"},
        {HANDLER("ctx.state.x = 5"), "read-only"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *text = handled(state, wrong[i].rule, "{}");
        if (!strstr(text, wrong[i].text))
            fail_msg("%s\nis not in\n%s", wrong[i].text, text);
    }
}

static void ctx_is_lent_for_one_call(void **state)
{
    bench b = start(
        state, "kept = {}\n" HANDLER("if kept.set then kept.set('n', 1) end kept.set = "
                                     "ctx.state.set kept.ctx = ctx"));
    handling h = {.b = &b, .host.base.cls = &fake_host_class};
    bool answer;
    tw_script_failures f;
    with_event(&b, "{}", handle, &h);
    assert_int_equal(h.rc, TW_OK);
    assert_true(test(&b, 0, "{}", &answer) < 0); /* no ctx is lent to a predicate */
    tw_rule_script_failures(b.script, &f);
    assert_non_null(strstr(f.last, "ctx is only lent for the call it is given to"));
    stop(&b);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_rules, shut_rules)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_predicate_reads_fields),
        T(values_have_the_types_of_json),
        T(nested_values_are_tables),
        T(a_name_with_dots_is_a_path),
        T(reserved_paths_are_read),
        T(a_field_that_no_text_names_is_found_too),
        T(fields_may_have_long_names),
        T(an_event_is_lent_for_one_call),
        T(an_event_cannot_be_changed_or_walked),
        T(a_failure_names_file_and_line),
        T(parameters_are_read_while_running),
        T(a_rule_cannot_be_declared_while_running),
        T(each_rule_has_its_own_functions_and_parameters),
        T(an_endless_predicate_is_stopped_and_the_next_call_works),
        T(garbage_at_run_time_is_stopped_and_the_next_call_works),
        T(a_file_that_depends_on_chance_gives_no_script),
        T(a_mapper_gives_a_number_or_nothing),
        T(a_condition_reads_values_by_name),
        T(a_handler_keeps_state_in_the_engine),
        T(tables_are_kept_as_json),
        T(a_handler_sets_timers_and_fires),
        T(a_timer_reaches_the_handler),
        T(what_a_handler_does_wrong_is_told),
        T(ctx_is_lent_for_one_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
