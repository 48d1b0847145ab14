// SPDX-License-Identifier: Apache-2.0
/* Which parts of a configuration that was read again cannot be taken over while the engine runs. Rules
 * and tables of files can; of all else every entry that is not what runs is a warning with its place. */
#include <string.h>

#include "base/mem.h"
#include "config.h"
#include "config_impl.h"
#include "rule/findings.h"

typedef struct diff {
    const tw_config *fresh;
    tw_findings *out;
    json_t *names;
} diff;

static bool is_taken_over(const char *section)
{
    return strcmp(section, "rules") == 0 || strcmp(section, "tables") == 0;
}

/* At the key, or at what would hold it when it is gone. */
static void say(diff *d, const json_t *holder, const char *key, const char *name)
{
    tw_conf *document = d->fresh->document;
    int line = 0, column = 0;
    tw_err err;

    if (!holder || !tw_conf_where_key(document, holder, key, &line, &column))
        tw_conf_where(document, holder ? holder : tw_conf_root(document), &line, &column);
    tw_err_at(&err, TW_EINVAL, tw_conf_file(document), line, column,
              "'%s' is not what runs; the change takes a restart", name);
    tw_findings_add(d->out, &err, true);
    json_array_append_new(d->names, json_string(name));
}

static void compare_entry(diff *d, const char *section, const char *entry,
                          const json_t *was, const json_t *is)
{
    const json_t *a = json_object_get(was, entry), *b = json_object_get(is, entry);

    if (json_equal(a, b))
        return;
    char *name = tw_asprintf("%s.%s", section, entry);
    say(d, is, entry, name);
    tw_free(name);
}

static void compare_section(diff *d, const char *section, json_t *was, json_t *is)
{
    const char *entry;
    json_t *value;

    if (!json_is_object(was) || !json_is_object(is)) {
        say(d, tw_conf_root(d->fresh->document), section, section);
        return;
    }
    json_object_foreach(is, entry, value) compare_entry(d, section, entry, was, is);
    json_object_foreach(was, entry, value)
    {
        if (!json_object_get(is, entry))
            compare_entry(d, section, entry, was, is);
    }
}

/* A table of a topic is read before judging begins, so it is there from the start or not at all. */
static void compare_topics(diff *d, json_t *was, json_t *is)
{
    const char *entry;
    json_t *value;

    json_object_foreach(is, entry, value)
    {
        if (json_object_get(value, "source") ||
            json_object_get(json_object_get(was, entry), "source"))
            compare_entry(d, "tables", entry, was, is);
    }
    json_object_foreach(was, entry, value)
    {
        if (!json_object_get(is, entry) && json_object_get(value, "source"))
            compare_entry(d, "tables", entry, was, is);
    }
}

json_t *tw_config_takes_restart(const tw_config *running, const tw_config *fresh,
                                tw_findings *out)
{
    json_t *was = tw_conf_root(running->document), *is = tw_conf_root(fresh->document);
    diff d = {.fresh = fresh, .out = out, .names = json_array()};

    compare_topics(&d, json_object_get(was, "tables"), json_object_get(is, "tables"));
    for (const tw_conf_field *f = tw_config_fields; f->name; f++) {
        json_t *a = json_object_get(was, f->name), *b = json_object_get(is, f->name);
        if (!is_taken_over(f->name) && (a || b) && !json_equal(a, b))
            compare_section(&d, f->name, a, b);
    }
    return d.names;
}
