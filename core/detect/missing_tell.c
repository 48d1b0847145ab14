// SPDX-License-Identifier: Apache-2.0
/* What the incident stage is told about a key, and about the source as a whole. One lane's thread.
 *
 * The incident's `when` is asked once, when the key is found missing; without its consent nothing is told until
 * the key has been heard and is missing again. */
#include <jansson.h>

#include "detect/missing_impl.h"

enum { FACT_SILENT, FACT_LAST_SEEN, FACTS }; /* as core/rule/plan_missing.c names them */

static tw_value seconds(int64_t from_ms, int64_t to_ms)
{
    return tw_value_double((double)(to_ms - from_ms) / 1000.0);
}

static int64_t silent_since(const missing_key *k)
{
    return k->newest_ms != TW_TIME_NONE ? k->newest_ms : k->base_ms;
}

/* The plain fields of templates. `first` is the newest, too: one event is kept. */
static const tw_value *fields_of(missing *d, const missing_key *k, tw_value *to,
                                 const uint32_t *places, uint32_t count)
{
    const tw_value *values = tw_kept_see(&k->kept, d->rule).values;

    for (uint32_t n = 0; n < count; n++) {
        to[n] = values && places ? values[places[n]] : tw_value_absent();
    }
    return to;
}

static tw_signal signal_of(const missing *d, bool silent, int64_t at_ms)
{
    tw_level level = d->rule->incident.severity;

    return (tw_signal){.rule = d->rule,
                       .kind = TW_SIGNAL_LEVEL,
                       .from = silent ? TW_LEVEL_OK : level,
                       .level = silent ? level : TW_LEVEL_OK,
                       .at_ms = at_ms,
                       .seq = d->seq,
                       .newest = {.partition = -1},
                       .start_ms = TW_TIME_NONE,
                       .stop_ms = TW_TIME_NONE};
}

static void tell(missing *d, uint32_t number, bool silent, int64_t at_ms,
                 const char *reason)
{
    const missing_key *k = tw_keyed_at(d->keys, number);
    const tw_rule *r = d->rule;
    tw_signal s = signal_of(d, silent, at_ms);
    tw_value facts[FACTS] = {seconds(silent_since(k), at_ms)};

    if (k->newest_ms != TW_TIME_NONE) {
        facts[FACT_LAST_SEEN] = tw_value_int(k->newest_ms);
    }
    s.key = tw_keyed_key(d->keys, number);
    s.facts = facts;
    s.reason = reason;
    s.fields = fields_of(d, k, d->fields, r->carried_kept, r->carried_count);
    s.first_fields = fields_of(d, k, d->fields + r->carried_count, r->carried_first_kept,
                               r->carried_first_count);
    if (k->kept.is_there) {
        s.newest = k->kept.origin;
        s.newest_ms = k->kept.time_ms;
    }
    d->env.out.signal(d->env.out.self, &s);
}

static bool may_tell(missing *d, const missing_key *k, int64_t at_ms)
{
    static const char *const names[] = {"silent"};
    double value = (double)(at_ms - silent_since(k)) / 1000.0;
    bool has = true, agrees = false;
    tw_result result = {.names = names, .values = &value, .has = &has, .count = 1};
    int fn = d->rule->incident.when_fn;

    if (!d->rule->incident.set || fn == TW_NO_FN) {
        return true;
    }
    int rc = d->env.script->cls->test_result(d->env.script, fn, &result, &agrees);
    return rc == 0 && agrees;
}

void missing_tell_silent(missing *d, uint32_t number, int64_t at_ms)
{
    missing_key *k = tw_keyed_at(d->keys, number);

    k->flags |= KEY_MISSING;
    if (may_tell(d, k, at_ms)) {
        k->flags |= KEY_TOLD;
        tell(d, number, true, at_ms, NULL);
    }
}

void missing_tell_heard(missing *d, uint32_t number, int64_t at_ms, const char *reason)
{
    missing_key *k = tw_keyed_at(d->keys, number);

    if (k->flags & KEY_TOLD) {
        k->flags &= (uint8_t)~KEY_TOLD;
        tell(d, number, false, at_ms, reason);
    }
}

/* An incident of its own, since it has no key that would tell it from others. */
static json_t *source_words(const missing *d)
{
    const char *input = d->rule->inputs[d->plan->input].name;
    json_t *words = json_object();
    char *id = tw_asprintf("%s/source", d->rule->name);
    char *title = tw_asprintf("%s: nothing comes from '%s'", d->rule->name, input);

    json_object_set_new(words, "id", json_string(id));
    json_object_set_new(words, "title", json_string(title));
    json_object_set_new(words, "labels", json_pack("{s:s}", "source", input));
    tw_free(id);
    tw_free(title);
    return words;
}

void missing_tell_source(missing *d, bool silent, int64_t at_ms)
{
    tw_signal s = signal_of(d, silent, at_ms);
    int64_t heard_ms = at_ms;
    tw_value facts[FACTS] = {0};

    for (uint32_t i = 0; i < d->run_count && d->runs[i].to_ms < at_ms; i++) {
        heard_ms = d->runs[i].to_ms;
    }
    facts[FACT_SILENT] = seconds(heard_ms, at_ms);
    facts[FACT_LAST_SEEN] = tw_value_int(heard_ms);
    s.facts = facts;
    s.key = tw_key_from_bytes((const uint8_t *)"", 0);
    s.fire = source_words(d);
    d->env.out.signal(d->env.out.self, &s);
    json_decref(s.fire);
}
