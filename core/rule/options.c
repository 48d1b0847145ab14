// SPDX-License-Identifier: Apache-2.0
/* The option reader: every table of the language is described by a list of tw_option, and everything
 * that can be wrong with one option is found here. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule/compile.h"

#define MAX_OPTIONS 64

static const tw_option *find_option(const tw_option *options, const char *name)
{
    for (const tw_option *o = options; o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

/* `critical` for `crit`: one begins with the other. */
static const char *begins_alike(const char *name, const char *const *names, size_t count)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < count; i++) {
        size_t m = strlen(names[i]), shorter = n < m ? n : m;
        if (shorter > 2 && strncmp(name, names[i], shorter) == 0)
            return names[i];
    }
    return NULL;
}

static const char *option_hint(tw_compiler *c, const char *name, const char *const *names,
                               size_t count)
{
    const char *hint = tw_compile_hint(c, name, names, count);
    const char *alike = *hint ? NULL : begins_alike(name, names, count);

    return alike ? tw_compile_hint(c, alike, &alike, 1) : hint;
}

static void say_unknown(tw_compiler *c, const tw_tree_entry *e, const char *what,
                        const tw_option *options)
{
    const char *names[MAX_OPTIONS];
    size_t count = 0;

    for (const tw_option *o = options; o->name && count < MAX_OPTIONS; o++)
        if (o->type < TW_OPTION_LATER)
            names[count++] = o->name;
    tw_compile_say(c, e->value, "'%s' is not an option of %s%s", e->key, what,
                   option_hint(c, e->key, names, count));
}

static void say_type(tw_compiler *c, const tw_tree *v, const char *name,
                     const char *wanted)
{
    tw_compile_say(c, v, "%s is %s, not %s", name, wanted, tw_tree_name(v));
}

static void read_duration(tw_compiler *c, const tw_tree *v, const tw_option *o,
                          void *field)
{
    int64_t ms;
    if (!tw_compile_duration(c, v, o->name, &ms))
        return;
    if (ms < o->min)
        tw_compile_say(c, v, "%s must be longer than zero", o->name);
    else
        *(int64_t *)field = ms;
}

static void read_number(tw_compiler *c, const tw_tree *v, const tw_option *o, void *field)
{
    double d;
    if (!tw_tree_number(v, &d)) {
        say_type(c, v, o->name, "a number");
        d = NAN; /* no comparison with it holds, so nothing more is found */
    } else if (!isfinite(d)) {
        tw_compile_say(c, v, "%s is not a finite number", o->name);
        d = NAN;
    }
    *(tw_bound *)field = (tw_bound){.set = true, .value = d};
}

static void read_whole(tw_compiler *c, const tw_tree *v, const tw_option *o, void *field)
{
    double d;
    if (!tw_tree_number(v, &d)) {
        say_type(c, v, o->name, "a whole number");
        return;
    }
    if (isnan(d) || d != floor(d) || d < (double)o->min || d > (double)o->max)
        tw_compile_say(c, v, "%s is a whole number from %lld to %lld", o->name,
                       (long long)o->min, (long long)o->max);
    else
        *(int64_t *)field = (int64_t)d;
}

static void read_choice(tw_compiler *c, const tw_tree *v, const tw_option *o, void *field)
{
    char list[256] = "";
    size_t count = 0, used = 0;

    while (o->choices[count]) {
        if (v->type == TW_TREE_STRING && strcmp(v->text, o->choices[count]) == 0) {
            *(int *)field = (int)count;
            return;
        }
        int n = snprintf(list + used, sizeof list - used, "%s\"%s\"", count ? ", " : "",
                         o->choices[count]);
        used += used + (size_t)n < sizeof list ? (size_t)n : 0;
        count++;
    }
    if (v->type != TW_TREE_STRING)
        tw_compile_say(c, v, "%s is one of %s, not %s", o->name, list, tw_tree_name(v));
    else
        tw_compile_say(c, v, "%s is one of %s, not \"%.40s\"%s", o->name, list, v->text,
                       tw_compile_hint(c, v->text, o->choices, count));
}

static void read_one(tw_compiler *c, const tw_tree *v, const tw_option *o, void *field)
{
    switch (o->type) {
    case TW_OPTION_TEXT:
        if (v->type == TW_TREE_STRING)
            *(const char **)field = v->text;
        else
            say_type(c, v, o->name, "a string");
        break;
    case TW_OPTION_DURATION:
        read_duration(c, v, o, field);
        break;
    case TW_OPTION_NUMBER:
        read_number(c, v, o, field);
        break;
    case TW_OPTION_WHOLE:
        read_whole(c, v, o, field);
        break;
    case TW_OPTION_FLAG:
        if (v->type == TW_TREE_BOOL)
            *(bool *)field = v->b;
        else
            say_type(c, v, o->name, "true or false");
        break;
    case TW_OPTION_FUNCTION:
        if (v->type == TW_TREE_FUNCTION)
            *(int *)field = v->fn;
        else
            say_type(c, v, o->name, "a function");
        break;
    case TW_OPTION_CHOICE:
        read_choice(c, v, o, field);
        break;
    case TW_OPTION_TABLE:
        if (v->type == TW_TREE_TABLE)
            *(const tw_tree **)field = v;
        else
            say_type(c, v, o->name, "a table");
        break;
    case TW_OPTION_ANY:
        *(const tw_tree **)field = v;
        break;
    case TW_OPTION_LATER:
        tw_compile_say(c, v, "'%s' is not supported yet", o->name);
        break;
    case TW_OPTION_ELSEWHERE: /* which the caller has told */
        break;
    }
}

bool tw_options_read(tw_compiler *c, const tw_tree *table, const char *what,
                     const tw_option *options, void *out)
{
    bool all_known = true;
    for (uint32_t i = 0; i < table->entry_count; i++) {
        const tw_tree_entry *e = &table->entries[i];
        const tw_option *o = find_option(options, e->key);
        if (!o || o->type == TW_OPTION_ELSEWHERE) {
            if (o)
                tw_compile_say(c, e->value,
                               "'%s' is not an option of %s; it belongs to %s", e->key,
                               what, o->choices[0]);
            else
                say_unknown(c, e, what, options);
            all_known = false;
            continue;
        }
        if (o->type == TW_OPTION_ANY || o->type == TW_OPTION_LATER)
            read_one(c, e->value, o, (char *)out + o->at);
        else
            read_one(c, tw_compile_value(c, e->value), o, (char *)out + o->at);
    }
    return all_known;
}

void tw_options_no_items(tw_compiler *c, const tw_tree *table, const char *what)
{
    if (table->item_count > 0)
        tw_compile_say(c, table->items[0], "%s takes options by name, not a list", what);
}
