// SPDX-License-Identifier: Apache-2.0
/* Holds what left against what was expected. Both are lists of a few dozen at most; an expectation that says little
 * may not take what another one needs, so the two are matched by augmenting paths (Kuhn 1955). */
#include "ruletest_impl.h"

#include <string.h>

#include "base/mem.h"
#include "flow/context.h"

/* ---- values ------------------------------------------------------------------------ */

static bool number_of(const json_t *v, double *out)
{
    if (!json_is_number(v))
        return false;
    *out = json_number_value(v);
    return true;
}

/* Labels are text, so 503 is "503". */
static const char *plain_text(const json_t *v, char *scratch)
{
    if (json_is_string(v))
        return json_string_value(v);
    if (json_is_boolean(v))
        return json_is_true(v) ? "true" : "false";
    if (!json_is_number(v))
        return NULL;
    tw_double_format(scratch, json_number_value(v));
    return scratch;
}

static bool same_plain(const json_t *a, const json_t *b)
{
    char left[40], right[40];
    const char *x = plain_text(a, left), *y = plain_text(b, right);

    return x && y && strcmp(x, y) == 0;
}

static bool ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcmp(text + n - m, ending) == 0;
}

static bool holds_number(const char *word, const json_t *values, const json_t *is)
{
    double v, a, b;

    if (!number_of(is, &v) || !number_of(json_array_get(values, 0), &a))
        return false;
    if (strcmp(word, "$gt") == 0)
        return v > a;
    if (strcmp(word, "$gte") == 0)
        return v >= a;
    if (strcmp(word, "$lt") == 0)
        return v < a;
    if (strcmp(word, "$lte") == 0)
        return v <= a;
    return strcmp(word, "$between") == 0 && number_of(json_array_get(values, 1), &b) &&
           v >= a && v <= b;
}

static bool holds_text(const char *word, const json_t *values, const json_t *is)
{
    const char *text = json_string_value(is),
               *part = json_string_value(json_array_get(values, 0));

    if (!text || !part)
        return false;
    if (strcmp(word, "$prefix") == 0)
        return strncmp(text, part, strlen(part)) == 0;
    if (strcmp(word, "$suffix") == 0)
        return ends_with(text, part);
    return strcmp(word, "$contains") == 0 && strstr(text, part);
}

static bool holds_word(const char *word, const json_t *values, const json_t *is)
{
    size_t i;
    json_t *v;

    if (strcmp(word, "$missing_field") == 0)
        return !is;
    if (!is)
        return false;
    if (strcmp(word, "$exists") == 0)
        return true;
    if (strcmp(word, "$null") == 0)
        return json_is_null(is);
    if (strcmp(word, "$except") == 0)
        return !tw_left_field_matches(json_array_get(values, 0), is);
    if (strcmp(word, "$oneof") == 0) {
        json_array_foreach(values, i, v)
        {
            if (tw_left_field_matches(v, is))
                return true;
        }
        return false;
    }
    return holds_number(word, values, is) || holds_text(word, values, is);
}

static const char *word_of(const json_t *wanted)
{
    const char *key =
        json_object_size(wanted) == 1
            ? json_object_iter_key(json_object_iter((json_t *)(uintptr_t)wanted))
            : NULL;
    return key && key[0] == '$' ? key : NULL;
}

static bool array_matches(const json_t *wanted, const json_t *is)
{
    if (json_array_size(wanted) != json_array_size(is))
        return false;
    for (size_t i = 0; i < json_array_size(wanted); i++)
        if (!tw_left_field_matches(json_array_get(wanted, i), json_array_get(is, i)))
            return false;
    return true;
}

bool tw_left_field_matches(const json_t *wanted, const json_t *is)
{
    const char *word = word_of(wanted), *key;
    json_t *v;

    if (word)
        return holds_word(word, json_object_get(wanted, word), is);
    if (json_is_array(wanted))
        return json_is_array(is) && array_matches(wanted, is);
    if (!json_is_object(wanted))
        return same_plain(wanted, is);
    json_object_foreach((json_t *)(uintptr_t)wanted, key, v)
    {
        if (!tw_left_field_matches(v, json_object_get(is, key)))
            return false;
    }
    return json_is_object(is);
}

/* ---- fields ------------------------------------------------------------------------ */

/* "changes.last.version": of a list `first` and `last`. */
static const json_t *by_path(const json_t *object, const char *path)
{
    const json_t *whole = json_object_get(object, path);
    const char *dot = strchr(path, '.');

    if (json_is_array(object)) {
        int64_t count;
        return tw_enrich_walk(object, path, &count);
    }
    if (whole || !dot)
        return whole;
    char *first = tw_strndup(path, (size_t)(dot - path));
    const json_t *inner = json_object_get(object, first);
    tw_free(first);
    return inner ? by_path(inner, dot + 1) : NULL;
}

const json_t *tw_left_field(const tw_left *left, const char *name)
{
    const json_t *found = NULL;

    if (left->leaves == TW_LEAVES_EMIT)
        return by_path(json_object_get(left->object, "event"), name);
    found = by_path(json_object_get(left->object, "labels"), name);
    if (!found)
        found = by_path(left->object, name);
    return found ? found : by_path(json_object_get(left->object, "values"), name);
}

/* ---- matching ---------------------------------------------------------------------- */

bool tw_left_counts(const tw_test_run *run, const tw_left *left)
{
    if (left->is_change)
        return false;
    return !run->vary || left->leaves != TW_LEAVES_LATE;
}

static bool is_expected(const tw_test_run *run, const tw_test_expect *e)
{
    return !run->vary || e->leaves != TW_LEAVES_LATE;
}

static bool meets(const tw_test_run *run, const tw_test_expect *e, const tw_left *left)
{
    int64_t apart_ms =
        left->at_ms > e->at_ms ? left->at_ms - e->at_ms : e->at_ms - left->at_ms;
    const char *name;
    json_t *wanted;

    if (left->leaves != e->leaves || apart_ms > run->tolerance_ms)
        return false;
    json_object_foreach(e->fields, name, wanted)
    {
        if (!tw_left_field_matches(wanted, tw_left_field(left, name)))
            return false;
    }
    return true;
}

static bool augment(tw_test_run *run, uint32_t expect, bool *tried)
{
    for (uint32_t i = 0; i < run->left_count; i++) {
        tw_left *left = &run->left[i];
        if (tried[i] || !tw_left_counts(run, left) ||
            !meets(run, &run->test->expect[expect], left))
            continue;
        tried[i] = true;
        if (left->expect < 0 || augment(run, (uint32_t)left->expect, tried)) {
            left->expect = (int32_t)expect;
            run->matched[expect] = (int32_t)i;
            return true;
        }
    }
    return false;
}

bool tw_test_run_match(tw_test_run *run)
{
    const tw_rule_test *test = run->test;
    bool *tried = tw_calloc(run->left_count + 1, sizeof *tried), good = true;

    run->matched = tw_calloc(test->expect_count + 1, sizeof *run->matched);
    for (uint32_t i = 0; i < test->expect_count; i++) {
        run->matched[i] = -1;
        memset(tried, 0, run->left_count * sizeof *tried);
        if (is_expected(run, &test->expect[i]) && !augment(run, i, tried))
            good = false;
    }
    for (uint32_t i = 0; i < run->left_count; i++) {
        const tw_left *left = &run->left[i];
        if (tw_left_counts(run, left) && left->expect < 0 && left->at_ms <= test->end_ms)
            good = false;
    }
    tw_free(tried);
    return good;
}
