// SPDX-License-Identifier: Apache-2.0
/* Tests of flow/template: what is a path, what is refused, how values become text. */
#include "flow/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* Every path is a field; its number is the length of the path. "bad" is refused. */
static int classify(void *self, const char *path, tw_part *out, tw_err *err)
{
    (void)self;
    if (strcmp(path, "bad") == 0)
        return tw_err_set(err, TW_EINVAL, "no such thing");
    out->kind = TW_PART_FIELD;
    out->index = (uint32_t)strlen(path);
    out->text = tw_strdup(path);
    return TW_OK;
}

static json_t *get(void *self, const tw_part *part)
{
    return json_incref(json_object_get(self, part->text));
}

static const tw_template_names names = {.classify = classify};

static void renders_to(const char *source, const char *expected)
{
    json_t *o =
        json_pack("{s:f, s:f, s:s, s:i, s:f, s:b, s:n, s:{s:i}, s:s, s:s}", "third",
                  1 / 3.0, "below", -0.04, "name", "cart", "count", 7, "ratio", 0.1, "ok",
                  1, "none", "o", "a", 1, "[\"k8s.pod\"].x[2]", "deep", "@time", "now");
    tw_template t;
    tw_err err = {0};
    assert_int_equal(tw_template_compile(&t, source, &names, &err), TW_OK);
    tw_template_values values = {.get = get, .self = o};
    tw_buf b;
    tw_buf_init(&b, 4096);
    assert_int_equal(tw_template_render(&t, &values, &b), TW_OK);
    assert_string_equal(b.data, expected);
    tw_buf_done(&b);
    tw_template_done(&t);
    json_decref(o);
}

static void is_refused(const char *source, int code)
{
    tw_template t;
    tw_err err = {0};
    assert_int_equal(tw_template_compile(&t, source, &names, &err), code);
    assert_int_equal(err.code, code);
    assert_true(err.text[0] != '\0');
    assert_null(t.source);
    tw_template_done(&t);
}

static void text_and_values_are_joined(void **state)
{
    (void)state;
    renders_to("", "");
    renders_to("plain $ { } text", "plain $ { } text");
    renders_to("${name}", "cart");
    renders_to("<${name}:${count}>", "<cart:7>");
    renders_to("${ratio}|${ok}|${none}|${absent}|${o}", "0.1|true|||{\"a\":1}");
}

static void quoted_keys_and_indices_are_paths(void **state)
{
    (void)state;
    renders_to("a ${[\"k8s.pod\"].x[2]} b", "a deep b");
    renders_to("${@time}", "now");
}

static void a_number_is_written_as_the_text_asks(void **state)
{
    (void)state;
    renders_to("${ratio:%}", "10%");
    renders_to("${ratio:.1%} of ${count:.2}", "10.0% of 7.00");
    renders_to("${ratio:.0}|${count:%}", "0|700%");
    renders_to("${third:%}|${third:.2%}|${third:.3}", "33.33%|33.33%|0.333");
    renders_to("${below:.1}|${below:.3}", "0.0|-0.040");
    renders_to("${name:.1}|${absent:%}|${o:%}", "cart||{\"a\":1}");
    renders_to("${[\"k8s.pod\"].x[2]:%}", "deep");
}

static void another_way_to_write_it_is_refused(void **state)
{
    (void)state;
    is_refused("${ratio:}", TW_EPARSE);
    is_refused("${ratio:d}", TW_EPARSE);
    is_refused("${ratio:.}", TW_EPARSE);
    is_refused("${ratio:.10}", TW_EPARSE);
    is_refused("${ratio:1%}", TW_EPARSE);
    is_refused("${ratio:%%}", TW_EPARSE);
    is_refused("${[\"a}\"]:%", TW_EPARSE);
}

static void a_doubled_dollar_writes_the_opening(void **state)
{
    (void)state;
    renders_to("$${name} is ${name}", "${name} is cart");
}

static void what_is_no_path_is_refused(void **state)
{
    (void)state;
    is_refused("${name", TW_EPARSE);
    is_refused("${}", TW_EPARSE);
    is_refused("${a b}", TW_EPARSE);
    is_refused("${a + 1}", TW_EPARSE);
    is_refused("${a..b}", TW_EPARSE);
    is_refused("${a.}", TW_EPARSE);
    is_refused("${.a}", TW_EPARSE);
    is_refused("${a[x]}", TW_EPARSE);
    is_refused("${a[}", TW_EPARSE);
    is_refused("${[\"a}", TW_EPARSE);
    is_refused("${f()}", TW_EPARSE);
    is_refused("fine ${name} ${bad}", TW_EINVAL);
}

static json_t *value_of(const char *source, json_t *o)
{
    tw_template t;
    assert_int_equal(tw_template_compile(&t, source, &names, NULL), TW_OK);
    tw_template_values values = {.get = get, .self = o};
    json_t *v = tw_template_value(&t, &values);
    tw_template_done(&t);
    return v;
}

static void a_single_path_keeps_its_type(void **state)
{
    (void)state;
    json_t *o = json_pack("{s:i}", "count", 7);
    json_t *v = value_of("${count}", o);
    assert_true(json_is_integer(v));
    json_decref(v);
    v = value_of("${count:.1}", o);
    assert_string_equal(json_string_value(v), "7.0");
    json_decref(v);
    v = value_of("${count}!", o);
    assert_string_equal(json_string_value(v), "7!");
    json_decref(v);
    v = value_of("text", o);
    assert_string_equal(json_string_value(v), "text");
    json_decref(v);
    assert_null(value_of("${nothing}", o));
    json_decref(o);
}

static void what_is_said_to_people_has_four_digits(void **state)
{
    (void)state;
    json_t *o = json_pack("{s:f, s:f, s:f, s:i}", "a", 902.967741935484, "b", 12345.678,
                          "c", 0.0123456, "count", 1234567);
    tw_template t;
    tw_buf b;
    assert_int_equal(tw_template_compile(&t, "${a} ${b} ${c} ${count}", &names, NULL),
                     TW_OK);
    tw_template_values values = {.get = get, .self = o};
    tw_buf_init(&b, 1000);
    assert_int_equal(tw_template_say(&t, &values, &b), TW_OK);
    assert_string_equal(b.data, "903 12346 0.01235 1234567");
    tw_buf_reset(&b);
    assert_int_equal(tw_template_render(&t, &values, &b), TW_OK);
    assert_string_equal(b.data, "902.967741935484 12345.678 0.0123456 1234567");
    tw_buf_done(&b);
    tw_template_done(&t);
    json_decref(o);
}

static void a_full_buffer_is_an_error(void **state)
{
    (void)state;
    tw_template t;
    assert_int_equal(tw_template_compile(&t, "0123456789", &names, NULL), TW_OK);
    tw_template_values values = {.get = get};
    tw_buf b;
    tw_buf_init(&b, 4);
    assert_int_equal(tw_template_render(&t, &values, &b), TW_ELIMIT);
    tw_buf_done(&b);
    tw_template_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_values_are_joined),
        cmocka_unit_test(quoted_keys_and_indices_are_paths),
        cmocka_unit_test(a_number_is_written_as_the_text_asks),
        cmocka_unit_test(another_way_to_write_it_is_refused),
        cmocka_unit_test(a_doubled_dollar_writes_the_opening),
        cmocka_unit_test(what_is_no_path_is_refused),
        cmocka_unit_test(a_single_path_keeps_its_type),
        cmocka_unit_test(what_is_said_to_people_has_four_digits),
        cmocka_unit_test(a_full_buffer_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
