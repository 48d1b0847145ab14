// SPDX-License-Identifier: Apache-2.0
/* What a rule finds in its sandbox, and what the host gets back from it. */
#include "sandbox_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void check_result(const char *expected, const char *text)
{
    tw_sandbox *s = new_sandbox(NULL);
    assert_string_equal(result_of(s, text), expected);
    tw_sandbox_free(s);
}

static void check_raises(const char *expected, const char *text)
{
    tw_err err;
    tw_sandbox *s = new_sandbox(NULL);
    assert_int_not_equal(load_text(s, text, &err), TW_OK);
    if (strstr(err.text, expected) == NULL)
        fail_msg("raised: %s", err.text);
    tw_sandbox_free(s);
}

/* ---- the environment ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every name of the table on top, sorted, one space behind each, into out. */
static void list_names(lua_State *L, char *out, size_t out_size)
{
    const char *names[256];
    size_t n = 0, used = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        names[n++] = lua_tostring(L, -2);
    qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(out + used, out_size - used, "%s ", names[i]);
}

static int l_list_environment(lua_State *L)
{
    char(*lists)[1024] = lua_touserdata(L, 1);
    static const char *const libraries[] = {"math", "string", "table", "utf8"};
    lua_pushglobaltable(L);
    lua_getmetatable(L, -1);
    lua_getfield(L, -1, "__index");
    list_names(L, lists[0], sizeof lists[0]);
    for (size_t i = 0; i < 4; i++) {
        lua_getfield(L, -1, libraries[i]);
        lua_getmetatable(L, -1);
        lua_getfield(L, -1, "__index");
        list_names(L, lists[i + 1], sizeof lists[i + 1]);
        lua_pop(L, 3);
    }
    return 0;
}

static void the_environment_holds_these_names_and_no_other(void **unused)
{
    (void)unused;
    static char lists[5][1024];
    tw_sandbox *s = new_sandbox(NULL);
    assert_int_equal(tw_sandbox_run(s, l_list_environment, lists, NULL), TW_OK);
    assert_string_equal(lists[0],
                        "_G _VERSION assert error getmetatable ipairs log math next "
                        "pairs pcall rawequal rawget rawlen rawset select "
                        "setmetatable string table tonumber tostring type utf8 ");
    assert_string_equal(
        lists[1],
        "abs acos asin atan ceil cos deg exp floor fmod huge log max maxinteger "
        "min mininteger modf pi rad random sin sqrt tan tointeger type ult ");
    assert_string_equal(lists[2],
                        "byte char find format gmatch gsub len lower match rep reverse "
                        "sub upper ");
    assert_string_equal(lists[3], "concat insert move pack remove sort unpack ");
    assert_string_equal(lists[4], "char charpattern codepoint codes len offset ");
    tw_sandbox_free(s);
}

static void what_could_reach_outside_is_absent(void **unused)
{
    (void)unused;
    check_result("nil",
                 "result = load or loadstring or loadfile or dofile or require or package"
                 " or io or os or debug or coroutine or collectgarbage or xpcall or print"
                 " or warn or string.dump or string.pack or math.randomseed");
}

static void the_environment_cannot_be_changed(void **unused)
{
    (void)unused;
    check_raises("'tostring' belongs to the environment", "tostring = nil");
    check_raises("'string' belongs to the environment", "_G.string = {}");
    check_raises("read-only", "string.format = 1");
    check_raises("read-only", "rawset(string, 'format', 1)");
    check_raises("read-only", "rawset(_G, 'tostring', 1)");
    check_raises("cannot be changed", "setmetatable(_G, {})");
    check_raises("cannot be changed", "setmetatable(math, {})");
    check_raises("metatable cannot be used", "table.insert(string, 1)");
    check_result("false nil", "result = tostring(getmetatable(string)) .. ' ' .. "
                              "tostring(getmetatable(''))");
}

static void a_rules_own_globals_are_its_own(void **unused)
{
    (void)unused;
    check_result("3", "function helper(x) return x + 1 end  result = helper(2)");
    check_result("5", "x = 4  x = x + 1  result = _G.x");
}

static void text_of_a_value_shows_no_address(void **unused)
{
    (void)unused;
    check_result("table function 1 nil",
                 "result = tostring({}) .. ' ' .. tostring(pairs) .. ' '"
                 " .. tostring(1) .. ' ' .. tostring(nil)");
    check_result("table|function", "result = string.format('%s|%s', {}, pcall)");
    check_raises("invalid conversion '%p'", "string.format('%p', {})");
    check_result(
        "me", "result = tostring(setmetatable({}, {__tostring = function() return 'me' "
              "end}))");
}

/* ---- metatables ---- */

static void metatables_work_but_cannot_be_reached_again(void **unused)
{
    (void)unused;
    check_result("7", "local V = {} V.__index = V function V.get(v) return v.n end\n"
                      "V.__add = function(a, b) return a.n + b.n end\n"
                      "local a, b = setmetatable({n = 3}, V), setmetatable({n = 4}, V)\n"
                      "V.__add = nil  assert(a:get() == 3)  result = a + b");
    check_result("false", "result = getmetatable(setmetatable({}, {}))");
    check_raises("cannot be changed", "setmetatable(setmetatable({}, {}), {})");
}

static void dangerous_metamethods_are_refused(void **unused)
{
    (void)unused;
    check_raises("'__gc' is not allowed", "setmetatable({}, {__gc = function() end})");
    check_raises("'__mode' is not allowed", "setmetatable({}, {__mode = 'k'})");
    check_raises("'__close' is not allowed",
                 "setmetatable({}, {__close = function() end})");
    check_raises("'__metatable' is not allowed", "setmetatable({}, {__metatable = 1})");
    check_raises("'__call' cannot be a table",
                 "local t = {} setmetatable(t, {__call = t})");
    check_raises("'__len' cannot be a number", "setmetatable({}, {__len = 3})");
    check_raises("non-closable", "local t <close> = {}");
}

/* ---- libraries ---- */

static void pairs_goes_in_the_same_order_in_every_run(void **unused)
{
    (void)unused;
    check_result(
        "-1 1 2 2.5 3 10 B a aa b false true ",
        "local t = {b = 1, a = 1, aa = 1, B = 1, [10] = 1, [2.5] = 1, [-1] = 1,\n"
        "  [true] = 1, [false] = 1, 1, 1, 1}\n"
        "result = '' for k in pairs(t) do result = result .. tostring(k) .. ' ' end");
    check_result("1:a 2:b ",
                 "result = '' for k, v in pairs {'a', 'b'} do result = result .. k .. "
                 "':' .. v .. ' ' end");
    check_result("a c ",
                 "local t = {a = 1, b = 2, c = 3} result = ''\n"
                 "for k in pairs(t) do result = result .. k .. ' ' t.b = nil end");
    check_result(
        "x", "for k in pairs(setmetatable({}, {__pairs = function() return next, {x = 1} "
             "end})) do result = k end");
    check_result("true", "for k, v in pairs(string) do if k == 'rep' then result = v == "
                         "string.rep end end");
}

static void table_functions_do_what_the_manual_says(void **unused)
{
    (void)unused;
    check_result("1,2,3",
                 "local t = {1, 3} table.insert(t, 2, 2) result = table.concat(t, ',')");
    check_result("1 2,3 nil", "local t = {1, 2, 3} local x = table.remove(t, 1)\n"
                              "result = x .. ' ' .. table.concat(t, ',') .. ' ' .. "
                              "tostring(table.remove({}))");
    check_result("1,1,2,3", "result = table.concat(table.move({1, 2, 3}, 1, 3, 2), ',')");
    check_result("2,3,3", "result = table.concat(table.move({1, 2, 3}, 2, 3, 1), ',')");
    check_result("2 3 nil",
                 "local a, b, c = table.unpack({1, 2, 3}, 2) result = a .. ' ' .. b .. "
                 "' ' .. tostring(c)");
    check_result("9,5,4,1",
                 "local t = {4, 1, 9, 5} table.sort(t, function(a, b) return a > b end) "
                 "result = table.concat(t, ',')");
    check_result("a1 a2 b1 b2 ",
                 "local t = {{'b', 1}, {'a', 1}, {'b', 2}, {'a', 2}}\n"
                 "table.sort(t, function(x, y) return x[1] < y[1] end) result = ''\n"
                 "for _, v in ipairs(t) do result = result .. v[1] .. v[2] .. ' ' end");
    check_raises("position out of bounds", "table.insert({}, 3, 1)");
    check_raises("attempt to compare", "table.sort({1, 'x'})");
    check_raises("invalid value (at index 1) in table for 'concat'",
                 "table.concat({{}})");
}

static void format_and_rep_do_what_the_manual_says(void **unused)
{
    (void)unused;
    check_result("[  7|007|7  |+7]",
                 "result = string.format('[%3d|%03d|%-3d|%+d]', 7, 7, 7, 7)");
    check_result("3.14 1e+10 0.1 ff A%",
                 "result = string.format('%.2f %g %s %x %c%%', 3.14159, "
                 "1e10, 0.1, 255, 65)");
    check_result("[   ab][ab   ][a]",
                 "result = ('[%5s][%-5s][%.1s]'):format('ab', 'ab', 'ab')");
    check_result("abcabc|a-a-a|",
                 "result = ('abc'):rep(2) .. '|' .. ('a'):rep(3, '-') .. '|' .. "
                 "('x'):rep(0)");
    check_raises("no value", "string.format('%d')");
    check_raises("invalid conversion '%y'", "string.format('%y', 1)");
    check_raises("invalid conversion", "string.format('%.99f', 1)");
    check_raises("invalid conversion", "string.format('%0100d', 1)");
    check_raises("invalid conversion", "string.format('%', 1)");
    check_raises("number has no integer representation", "string.format('%d', 1.5)");
}

static void random_numbers_follow_from_the_seed(void **unused)
{
    (void)unused;
    static const char text[] =
        "result = ''\nfor i = 1, 20 do\n"
        "local a, b, c = math.random(), math.random(6), math.random(-3, 3)\n"
        "assert(a >= 0 and a < 1 and b >= 1 and b <= 6 and c >= -3 and c <= 3)\n"
        "result = result .. a .. ' ' .. b .. ' ' .. c .. ' ' end";
    char first[4096];
    tw_sandbox *a = new_sandbox(NULL), *b = new_sandbox(NULL);
    tw_sandbox_seed(a, 7);
    tw_sandbox_seed(b, 7);
    snprintf(first, sizeof first, "%s", result_of(a, text));
    assert_string_equal(result_of(b, text), first);
    tw_sandbox_seed(b, 8);
    assert_string_not_equal(result_of(b, text), first);
    tw_sandbox_free(a);
    tw_sandbox_free(b);
    check_raises("interval is empty", "math.random(2, 1)");
    check_result("true", "result = math.random(math.mininteger, math.maxinteger) ~= nil");
}

static void keep_line(void *ud, const char *text, size_t n)
{
    memcpy(ud, text, n);
    ((char *)ud)[n] = '\0';
}

static void log_goes_to_the_host_cut_at_four_kibibytes(void **unused)
{
    (void)unused;
    static char line[8192];
    tw_err err;
    tw_sandbox *s = new_sandbox(NULL);
    tw_sandbox_on_log(s, keep_line, line);
    assert_int_equal(load_text(s, "log('seen', 3, nil, {})", &err), TW_OK);
    assert_string_equal(line, "seen 3 nil table");
    assert_int_equal(load_text(s, "log(('x'):rep(9000), 'y')", &err), TW_OK);
    assert_int_equal(strlen(line), 4096);
    tw_sandbox_free(s);
}

/* ---- errors and calls ---- */

static void an_error_names_file_line_and_text(void **unused)
{
    (void)unused;
    tw_err err;
    tw_sandbox *s = new_sandbox(NULL);
    assert_int_equal(load_text(s, "local x\n\nx.y = 1", &err), TW_ESCRIPT);
    assert_string_equal(err.file, "rules/rule.lua");
    assert_int_equal(err.line, 3);
    assert_string_equal(err.text, "attempt to index a nil value (local 'x')");
    assert_int_equal(tw_sandbox_last(s), TW_SANDBOX_ERROR);

    assert_int_equal(load_text(s, "x = = 1", &err), TW_EPARSE);
    assert_int_equal(err.line, 1);
    assert_string_equal(err.text, "unexpected symbol near '='");
    assert_int_equal(tw_sandbox_last(s), TW_SANDBOX_REJECTED);

    load_text(s, "\nerror { code = 1 }", &err);
    assert_int_equal(err.line, 2);
    assert_string_equal(err.text, "the error value is a table");
    load_text(s, "local function check() error('bad option', 2) end\n\n\ncheck()", &err);
    assert_int_equal(err.line, 4);
    assert_string_equal(err.text, "bad option");
    load_text(s, "error('plain\\nlines', 0)", &err);
    assert_string_equal(err.text, "plain lines");

    static char long_name[200];
    memset(long_name, 'd', 180);
    memcpy(long_name + 180, "/r.lua", 7);
    tw_sandbox_load(s, long_name, "\nerror('here')", 14, &err);
    assert_string_equal(err.file, long_name);
    assert_int_equal(err.line, 2);
    assert_string_equal(err.text, "here");
    tw_sandbox_free(s);
}

static int l_double(lua_State *L)
{
    lua_pushinteger(L, 2 * luaL_checkinteger(L, 1));
    return 1;
}

static int l_nested(lua_State *L)
{
    tw_err err;
    lua_settop(L, 1);
    if (tw_sandbox_call(tw_sandbox_of(L), 0, 1, &err) != TW_OK) {
        tw_sandbox_poll(L);
        lua_pushfstring(L, "%d: %s", err.line, err.text);
    }
    return 1;
}

static int l_define_test_functions(lua_State *L)
{
    lua_pushcfunction(L, l_double);
    tw_sandbox_define(L, "double");
    lua_pushcfunction(L, l_nested);
    tw_sandbox_define(L, "nested");
    return 0;
}

static int l_keep_function(lua_State *L)
{
    lua_getglobal(L, "f");
    *(int *)lua_touserdata(L, 1) = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static void the_host_calls_functions_of_a_rule_and_offers_its_own(void **unused)
{
    (void)unused;
    tw_err err;
    int f;
    tw_sandbox *s = new_sandbox(NULL);
    lua_State *L = tw_sandbox_state(s);
    assert_int_equal(tw_sandbox_run(s, l_define_test_functions, NULL, &err), TW_OK);
    assert_int_equal(load_text(s, "function f(a, b) return double(a) + b, 'x' end", &err),
                     TW_OK);
    assert_int_equal(tw_sandbox_run(s, l_keep_function, &f, &err), TW_OK);
    for (int i = 0; i < 1000; i++) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, f);
        lua_pushinteger(L, i);
        lua_pushinteger(L, 1);
        assert_int_equal(tw_sandbox_call(s, 2, 1, &err), TW_OK);
        assert_int_equal(lua_tointeger(L, -1), 2 * i + 1);
        lua_pop(L, 1);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, f);
    lua_pushboolean(L, 1);
    lua_pushinteger(L, 1);
    assert_int_equal(tw_sandbox_call(s, 2, 1, &err), TW_ESCRIPT);
    assert_int_equal(lua_gettop(L), 1);
    assert_string_equal(err.text,
                        "bad argument #1 to 'double' (number expected, got boolean)");
    tw_sandbox_free(s);
}

static void a_call_inside_a_call_reports_to_its_caller(void **unused)
{
    (void)unused;
    tw_err err;
    tw_sandbox *s = new_sandbox(NULL);
    assert_int_equal(tw_sandbox_run(s, l_define_test_functions, NULL, &err), TW_OK);
    assert_string_equal(result_of(s, "result = nested(function() return 5 end)"), "5");
    assert_string_equal(result_of(s, "result = nested(function()\n error('inner') end)"),
                        "2: inner");
    if (!UNDER_THREAD_SANITIZER) {
        load_text(s, "nested(function() while true do end end)", &err);
        assert_int_equal(tw_sandbox_last(s), TW_SANDBOX_CPU);
    }
    tw_sandbox_free(s);
}

static void without_a_watchdog_nothing_runs(void **unused)
{
    (void)unused;
    tw_err err;
    tw_sandbox *s = new_sandbox(NULL);
    tw_sandbox_attach(s, NULL);
    assert_int_equal(load_text(s, "result = 1", &err), TW_ESTATE);
    assert_int_equal(lua_gettop(tw_sandbox_state(s)), 1);
    tw_sandbox_attach(s, &the_guard);
    assert_string_equal(result_of(s, "result = 1"), "1");
    tw_sandbox_free(s);
}

static int l_answer(lua_State *L)
{
    lua_pushinteger(L, 42);
    return 1;
}

static void the_prelude_makes_globals_that_rules_only_read(void **unused)
{
    (void)unused;
    static const luaL_Reg host[] = {{"answer", l_answer}, {NULL, NULL}};
    static const char text[] =
        "local host = ...\n"
        "options = host.seal { depth = 3 }\n"
        "function ask() return host.answer() end\n"
        "local mt = { __add = function() return 'sum' end }\n"
        "function expr() return host.rawsetmetatable({}, mt) end\n";
    tw_err err;
    tw_sandbox *s = new_sandbox(NULL);
    assert_int_equal(tw_sandbox_prelude(s, "prelude.lua", text, strlen(text), host, &err),
                     TW_OK);
    assert_string_equal(result_of(s, "result = ask() .. expr() + 1 .. options.depth"),
                        "42sum3");
    assert_int_equal(load_text(s, "ask = nil", &err), TW_ESCRIPT);
    assert_int_equal(load_text(s, "options.depth = 4", &err), TW_ESCRIPT);
    tw_sandbox_free(s);
}

static void a_fresh_sandbox_takes_little_memory(void **unused)
{
    (void)unused;
    tw_sandbox *s = new_sandbox(NULL);
    assert_true(tw_sandbox_memory(s) < 32 << 10);
    tw_sandbox_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_holds_these_names_and_no_other),
        cmocka_unit_test(what_could_reach_outside_is_absent),
        cmocka_unit_test(the_environment_cannot_be_changed),
        cmocka_unit_test(a_rules_own_globals_are_its_own),
        cmocka_unit_test(text_of_a_value_shows_no_address),
        cmocka_unit_test(metatables_work_but_cannot_be_reached_again),
        cmocka_unit_test(dangerous_metamethods_are_refused),
        cmocka_unit_test(pairs_goes_in_the_same_order_in_every_run),
        cmocka_unit_test(table_functions_do_what_the_manual_says),
        cmocka_unit_test(format_and_rep_do_what_the_manual_says),
        cmocka_unit_test(random_numbers_follow_from_the_seed),
        cmocka_unit_test(log_goes_to_the_host_cut_at_four_kibibytes),
        cmocka_unit_test(an_error_names_file_line_and_text),
        cmocka_unit_test(the_host_calls_functions_of_a_rule_and_offers_its_own),
        cmocka_unit_test(a_call_inside_a_call_reports_to_its_caller),
        cmocka_unit_test(without_a_watchdog_nothing_runs),
        cmocka_unit_test(the_prelude_makes_globals_that_rules_only_read),
        cmocka_unit_test(a_fresh_sandbox_takes_little_memory),
    };
    return cmocka_run_group_tests(tests, start_watchdog, stop_watchdog);
}
