// SPDX-License-Identifier: Apache-2.0
/* Handlers of rule files: what they may ask of their host. */
#include "script_bench.h"

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

static void ask(void *self, const tw_event *ev)
{
    bench *b = self;
    bool answer;
    assert_true(b->script->cls->test_event(b->script, 0, ev, &answer) < 0);
}

static void ctx_is_lent_for_one_call(void **state)
{
    bench b = start(
        state, "kept = {}\n" HANDLER("if kept.set then kept.set('n', 1) end kept.set = "
                                     "ctx.state.set kept.ctx = ctx"));
    handling h = {.b = &b, .host.base.cls = &fake_host_class};
    tw_script_failures f;
    with_event(&b, "{}", handle, &h);
    assert_int_equal(h.rc, TW_OK);
    with_event(&b, "{}", ask, &b); /* no ctx is lent to a predicate */
    tw_rule_script_failures(b.script, &f);
    assert_non_null(strstr(f.last, "ctx is only lent for the call it is given to"));
    stop(&b);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_rules, shut_rules)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_handler_keeps_state_in_the_engine), T(tables_are_kept_as_json),
        T(a_handler_sets_timers_and_fires),     T(a_timer_reaches_the_handler),
        T(what_a_handler_does_wrong_is_told),   T(ctx_is_lent_for_one_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
