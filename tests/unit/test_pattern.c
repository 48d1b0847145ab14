// SPDX-License-Identifier: Apache-2.0
/* Our find, match, gmatch and gsub give what Lua's own give: thousands of drawn patterns and
 * subjects go through both. A pattern of ours may be refused earlier when it is malformed, never
 * later, and never when it is well-formed. */
#include "sandbox_fixture.h"

#include <lualib.h>
#include <stdio.h>

/* One text that says what all four make of subject and pattern; an error is E. */
static const char probe_text[] =
    "local function show(ok, ...)\n"
    "  if not ok then return 'E' end\n"
    "  local out = {}\n"
    "  for i = 1, select('#', ...) do out[i] = tostring((select(i, ...))) end\n"
    "  return table.concat(out, ',')\n"
    "end\n"
    "local function walk(s, p)\n"
    "  local out = {}\n"
    "  for a, b in s:gmatch(p) do out[#out + 1] = tostring(a) .. '/' .. tostring(b) end\n"
    "  return table.concat(out, ';')\n"
    "end\n"
    "function probe(s, p)\n"
    "  return table.concat({ show(pcall(string.find, s, p)), show(pcall(string.find, s, "
    "p, 2)),\n"
    "    show(pcall(string.find, s, p, -2)), show(pcall(string.match, s, p)),\n"
    "    show(pcall(string.match, s, p, 3)), show(pcall(string.gsub, s, p, '<%0>')),\n"
    "    show(pcall(string.gsub, s, p, '[%1]', 2)), show(pcall(string.gsub, s, p, { a = "
    "'A' })),\n"
    "    show(pcall(string.gsub, s, p, function(a) return a == 'b' and 'B' end)),\n"
    "    show(pcall(walk, s, p)) }, '|')\n"
    "end\n";

typedef struct job {
    char subject[64], pattern[128];
    size_t subject_len, pattern_len;
    char ours[4096], stock[4096];
} job;

static uint64_t dice_state = 20240607;

static size_t dice(size_t sides)
{
    dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(dice_state >> 33) % sides;
}

static char one_of(const char *choices)
{
    return choices[dice(strlen(choices))];
}

static void add(job *j, const char *text)
{
    size_t n = strlen(text);
    if (j->pattern_len + n < sizeof j->pattern) {
        memcpy(j->pattern + j->pattern_len, text, n);
        j->pattern_len += n;
    }
}

static void add_char(job *j, char c)
{
    add(j, (char[]){c, '\0'});
}

static void draw_subject(job *j)
{
    j->subject_len = dice(16);
    for (size_t i = 0; i < j->subject_len; i++)
        j->subject[i] = dice(40) == 0 ? '\0' : one_of("aaabbbxyAB 01.-()%_\xc3\xa9");
}

static void draw_class(job *j)
{
    add_char(j, '%');
    add_char(j, one_of("acdglpsuwxACDGLPSUWX.%-()yz"));
}

static void draw_set(job *j)
{
    add(j, dice(3) == 0 ? "[^" : "[");
    if (dice(8) == 0)
        add_char(j, ']');
    for (size_t n = 1 + dice(3); n > 0; n--) {
        switch (dice(4)) {
        case 0:
            draw_class(j);
            break;
        case 1:
            add(j, dice(2) == 0 ? "a-b" : "0-9");
            break;
        default:
            add_char(j, one_of("abxyA01 ._-"));
            break;
        }
    }
    add_char(j, ']');
}

static void draw_single(job *j)
{
    switch (dice(5)) {
    case 0:
        draw_class(j);
        break;
    case 1:
        draw_set(j);
        break;
    case 2:
        add_char(j, '.');
        break;
    default:
        add_char(j, one_of("abxyAB01 _"));
        break;
    }
    if (dice(2) == 0)
        add_char(j, one_of("*+-?"));
}

static void draw_pattern(job *j)
{
    int open = 0, closed = 0;
    j->pattern_len = 0;
    if (dice(6) == 0)
        add_char(j, '^');
    for (size_t n = 1 + dice(5); n > 0; n--) {
        size_t kind = dice(14);
        if (kind == 0) {
            add(j, "()");
            closed += open == 0;
        } else if (kind == 1 && open == 0) {
            add_char(j, '(');
            open = 1;
        } else if (kind == 2 && open == 1) {
            add_char(j, ')');
            open = 0;
            closed++;
        } else if (kind == 3) {
            add(j, "%b()");
        } else if (kind == 4) {
            add(j, "%f");
            draw_set(j);
        } else if (kind == 5 && closed > 0) {
            add(j, "%1");
        } else {
            draw_single(j);
        }
    }
    if (open == 1)
        add_char(j, ')');
    if (dice(6) == 0)
        add_char(j, '$');
}

static void draw_noise(job *j)
{
    j->pattern_len = 0;
    for (size_t n = dice(9); n > 0; n--)
        add_char(j, one_of("aab.%%[]^$()*+-?1bfdw)("));
}

static int l_probe(lua_State *L)
{
    job *j = lua_touserdata(L, 1);
    size_t n;
    lua_getglobal(L, "probe");
    lua_pushlstring(L, j->subject, j->subject_len);
    lua_pushlstring(L, j->pattern, j->pattern_len);
    lua_call(L, 2, 1);
    const char *text = lua_tolstring(L, -1, &n);
    char *out = tw_sandbox_of(L) != NULL ? j->ours : j->stock;
    assert_true(n < sizeof j->ours);
    memcpy(out, text, n);
    memset(out + n, 0, sizeof j->ours - n);
    return 0;
}

typedef struct pair {
    tw_sandbox *ours;
    lua_State *stock;
} pair;

static pair open_both(void)
{
    tw_err err;
    pair both = {new_sandbox(NULL), luaL_newstate()};
    luaL_openlibs(both.stock);
    memset(lua_getextraspace(both.stock), 0, sizeof(void *));
    assert_int_equal(luaL_dostring(both.stock, probe_text), LUA_OK);
    assert_int_equal(load_text(both.ours, probe_text, &err), TW_OK);
    return both;
}

static void close_both(pair both)
{
    lua_close(both.stock);
    tw_sandbox_free(both.ours);
}

static void run_both(pair both, job *j)
{
    tw_err err;
    lua_pushcfunction(both.stock, l_probe);
    lua_pushlightuserdata(both.stock, j);
    lua_call(both.stock, 1, 0);
    assert_int_equal(tw_sandbox_run(both.ours, l_probe, j, &err), TW_OK);
}

static void complain(const job *j)
{
    fail_msg("subject '%.*s' pattern '%.*s'\n  ours  %s\n  stock %s", (int)j->subject_len,
             j->subject, (int)j->pattern_len, j->pattern, j->ours, j->stock);
}

static void well_formed_patterns_give_the_same_as_in_stock_lua(void **unused)
{
    (void)unused;
    pair both = open_both();
    static job j;
    for (int i = 0; i < (UNDER_THREAD_SANITIZER ? 500 : 20000); i++) {
        draw_subject(&j);
        draw_pattern(&j);
        run_both(both, &j);
        if (memcmp(j.ours, j.stock, sizeof j.ours) != 0)
            complain(&j);
    }
    close_both(both);
}

/* Field by field: equal, or ours is an error. */
static bool agrees_or_refuses(const job *j)
{
    const char *a = j->ours, *b = j->stock;
    const char *end_a = a + sizeof j->ours, *end_b = b + sizeof j->stock;
    for (int field = 0; field < 10; field++) {
        const char *next_a = memchr(a, '|', (size_t)(end_a - a));
        const char *next_b = memchr(b, '|', (size_t)(end_b - b));
        if (next_a == NULL || next_b == NULL)
            return *a == 'E' || strcmp(a, b) == 0;
        size_t n = (size_t)(next_a - a);
        bool same = n == (size_t)(next_b - b) && memcmp(a, b, n) == 0;
        if (!same && !(n == 1 && *a == 'E'))
            return false;
        a = next_a + 1;
        b = next_b + 1;
    }
    return true;
}

static void malformed_patterns_are_refused_where_stock_lua_refuses(void **unused)
{
    (void)unused;
    pair both = open_both();
    static job j;
    int equal = 0, rounds = UNDER_THREAD_SANITIZER ? 500 : 20000;
    for (int i = 0; i < rounds; i++) {
        draw_subject(&j);
        draw_noise(&j);
        run_both(both, &j);
        if (!agrees_or_refuses(&j))
            complain(&j);
        equal += memcmp(j.ours, j.stock, sizeof j.ours) == 0;
    }
    assert_true(equal > rounds / 2);
    close_both(both);
}

static void results_of_the_manual_hold(void **unused)
{
    (void)unused;
    tw_sandbox *s = new_sandbox(NULL);
    assert_string_equal(result_of(s, "result = ('hello world'):gsub('(%w+)', '%1 %1')"),
                        "hello hello world world");
    assert_string_equal(result_of(s, "result = ('THE (quick) fox'):find('%((%a+)%)')"),
                        "5");
    assert_string_equal(
        result_of(s, "result = ('THE (quick) fox'):gsub('%f[%a]%a+', '<%0>')"),
        "<THE> (<quick>) <fox>");
    assert_string_equal(result_of(s, "result = ('a.b'):find('.', 1, true)"), "2");
    assert_string_equal(
        result_of(s, "result = ('key = value'):match('^(%w+)%s*=%s*(%w+)$')"), "key");
    assert_string_equal(
        result_of(s, "result = ('$name is $x'):gsub('%$(%w+)', {name = 'lua'})"),
        "lua is $x");
    assert_string_equal(
        result_of(s, "local ok, e = pcall(function() string.rep() end) result = e"),
        "rules/rule.lua:1: bad argument #1 to 'rep' (string expected, got no value)");
    assert_string_equal(
        result_of(s, "local ok, e = pcall(string.gsub, 'x', 'x', '%2') result = e"),
        "invalid capture index %2 in replacement string");
    assert_string_equal(
        result_of(s, "local ok, e = pcall(string.find, 'x', '[a') result = e"),
        "malformed pattern (missing ']')");
    tw_sandbox_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_patterns_give_the_same_as_in_stock_lua),
        cmocka_unit_test(malformed_patterns_are_refused_where_stock_lua_refuses),
        cmocka_unit_test(results_of_the_manual_hold),
    };
    return cmocka_run_group_tests(tests, start_watchdog, stop_watchdog);
}
