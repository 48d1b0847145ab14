// SPDX-License-Identifier: Apache-2.0
/* See replay_notes.h. Owns a decoder of its own, which reads an event a second time only while some
 * field of its stream has not been seen yet. Of the first of these events the names of all fields are noted, for
 * what a name that no event has may have been meant to be. */
#include "replay_notes.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "replay_names.h"

#define MOST_NAMES 5

typedef struct stream_notes {
    uint64_t frames, unread, bad;
    bool seen[TW_MAX_FIELDS];               /* by slot: some event had the field */
    char reason[sizeof((tw_err *)0)->text]; /* of the first bad frame */
    tw_replay_names *names;                 /* of fields that events have; NULL: none */
} stream_notes;

struct tw_replay_notes {
    tw_decoder *decoder;
    stream_notes **streams; /* by stream id */
    uint32_t stream_count;
    uint64_t frames;
};

tw_replay_notes *tw_replay_notes_new(const tw_decode_limits *limits)
{
    tw_replay_notes *n = tw_alloc(sizeof *n);

    n->decoder = tw_decoder_new(limits);
    return n;
}

void tw_replay_notes_free(tw_replay_notes *n)
{
    if (!n)
        return;
    for (uint32_t i = 0; i < n->stream_count; i++) {
        if (n->streams[i])
            tw_replay_names_free(n->streams[i]->names);
        tw_free(n->streams[i]);
    }
    tw_free(n->streams);
    tw_decoder_free(n->decoder);
    tw_free(n);
}

/* ---- an event ---------------------------------------------------------------------- */

static stream_notes *notes_of(tw_replay_notes *n, const tw_stream *stream)
{
    if (stream->id >= n->stream_count) {
        n->streams = tw_realloc(n->streams, (stream->id + 1) * sizeof(stream_notes *));
        for (uint32_t i = n->stream_count; i <= stream->id; i++)
            n->streams[i] = NULL;
        n->stream_count = stream->id + 1;
    }
    if (!n->streams[stream->id])
        n->streams[stream->id] = tw_alloc(sizeof(stream_notes));
    return n->streams[stream->id];
}

static bool all_seen(const stream_notes *s, const tw_projection *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (!s->seen[p->slots[i]])
            return false;
    }
    return true;
}

static void on_event(void *self, const tw_event *ev)
{
    stream_notes *s = self;

    for (uint32_t i = 0; i < ev->projection->count; i++) {
        uint32_t slot = ev->projection->slots[i];
        if (tw_event_slot(ev, slot).type != TW_ABSENT)
            s->seen[slot] = true;
    }
}

void tw_replay_notes_take(tw_replay_notes *n, const tw_ruleset *set,
                          const tw_stream *stream, const tw_frame *frame)
{
    stream_notes *s = notes_of(n, stream);
    const tw_stream_plan *plan =
        stream->id < set->stream_count ? &set->streams[stream->id] : NULL;
    tw_decode_origin origin = {.time_ms = TW_TIME_NONE};
    tw_event_port port = {on_event, s};
    tw_err err = {0};

    n->frames++;
    s->frames++;
    if (!plan || !plan->projection) {
        s->unread += !plan || !plan->changes;
        return;
    }
    if (s->bad == 0 && plan->projection->count && all_seen(s, plan->projection))
        return;
    if (!s->names)
        s->names = tw_replay_names_new();
    tw_replay_names_take(s->names, frame->data, frame->size);
    if (tw_decode(n->decoder, plan->decode, stream, frame->data, frame->size, &origin,
                  &port, &err) >= 0)
        return;
    if (s->bad++ == 0)
        snprintf(s->reason, sizeof s->reason, "%s", err.text);
}

/* ---- the notes --------------------------------------------------------------------- */

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static const stream_notes *find_notes(const tw_replay_notes *n, uint32_t id)
{
    return id < n->stream_count ? n->streams[id] : NULL;
}

static bool is_read(const tw_ruleset *set, uint32_t id)
{
    return id < set->stream_count && set->streams[id].projection;
}

/* The stream a rule reads that is spelt most like the one nobody reads. */
static const char *nearest_read(const tw_ruleset *set, const tw_streams *streams,
                                const char *name)
{
    const char **names = tw_calloc(set->stream_count + 1, sizeof *names);
    size_t count = 0;

    for (uint32_t i = 0; i < set->stream_count; i++) {
        if (is_read(set, i))
            names[count++] = tw_streams_at(streams, i)->name;
    }
    const char *nearest = tw_nearest(name, names, count);
    tw_free(names);
    return nearest;
}

static void write_streams(const tw_replay_notes *n, const tw_ruleset *set,
                          const tw_streams *streams, FILE *out)
{
    for (uint32_t i = 0; i < n->stream_count; i++) {
        const stream_notes *s = n->streams[i];
        const char *name = s ? tw_streams_at(streams, i)->name : NULL;
        if (s && s->unread) {
            const char *nearest = nearest_read(set, streams, name);
            fprintf(out, "no rule reads the stream '%s', %" PRIu64 " record%s", name,
                    s->unread, plural(s->unread));
            if (nearest && strcmp(nearest, name) != 0)
                fprintf(out, " (did you mean '%s'?)", nearest);
            fputc('\n', out);
        }
        if (s && s->bad)
            fprintf(out, "%s%" PRIu64 " record%s of '%s' cannot be read: %s\n",
                    s->bad == s->frames ? "" : "at least ", s->bad, plural(s->bad), name,
                    s->reason);
    }
}

static void write_field(const stream_notes *s, const tw_stream *stream, const char *path,
                        FILE *out)
{
    const char *nearest = s->names ? tw_replay_names_nearest(s->names, path) : NULL;

    fprintf(out, "no event of '%s' has the field '%s'", stream->name, path);
    if (nearest)
        fprintf(out, " (did you mean '%s'?)", nearest);
    fputc('\n', out);
}

static void write_fields(const tw_replay_notes *n, const tw_ruleset *set,
                         const tw_streams *streams, FILE *out)
{
    for (uint32_t i = 0; i < n->stream_count; i++) {
        const stream_notes *s = n->streams[i];
        if (!s || !is_read(set, i) || s->bad == s->frames)
            continue;
        const tw_stream *stream = tw_streams_at(streams, i);
        const tw_projection *p = set->streams[i].projection;
        for (uint32_t k = 0; k < p->count; k++) {
            if (!s->seen[p->slots[k]])
                write_field(s, stream, tw_fields_at(stream->fields, p->slots[k])->path,
                            out);
        }
    }
}

static bool has_input(const tw_replay_notes *n, const tw_rule *rule)
{
    for (uint32_t i = 0; i < rule->input_count; i++) {
        if (find_notes(n, rule->inputs[i].stream->id))
            return true;
    }
    return false;
}

/* Two lists of rules: whose streams had no event, and whose inputs took none of them. */
static void write_idle_rules(const tw_replay_notes *n, const tw_engine *e,
                             bool has_events, FILE *out)
{
    const tw_ruleset *set = tw_engine_rules(e);
    uint32_t named = 0, idle = 0;

    for (uint32_t i = 0; i < set->rule_count; i++) {
        tw_rule_counts counts;
        tw_engine_rule_counts(e, i, &counts);
        if (counts.events || counts.keyless || has_input(n, set->rules[i]) != has_events)
            continue;
        idle++;
        if (named == MOST_NAMES)
            continue;
        fprintf(out, "%s%s",
                named++      ? ", "
                : has_events ? "no event matched "
                             : "no event is of a stream of ",
                set->rules[i]->name);
    }
    if (idle > named)
        fprintf(out, " and %u more", idle - named);
    fputs(idle ? "\n" : "", out);
}

static void write_keyless(const tw_engine *e, FILE *out)
{
    const tw_ruleset *set = tw_engine_rules(e);

    for (uint32_t i = 0; i < set->rule_count; i++) {
        const tw_rule *rule = set->rules[i];
        tw_rule_counts counts;
        tw_engine_rule_counts(e, i, &counts);
        if (!counts.keyless)
            continue;
        fprintf(out, "%" PRIu64 " event%s passed by %s, without its key (",
                counts.keyless, plural(counts.keyless), rule->name);
        for (uint32_t k = 0; k < rule->key_count; k++)
            fprintf(out, "%s%s", k ? ", " : "", rule->key_names[k]);
        fputs(")\n", out);
    }
}

static void write_throttled(const tw_engine *e, FILE *out)
{
    const tw_ruleset *set = tw_engine_rules(e);

    for (uint32_t i = 0; i < set->rule_count; i++) {
        tw_rule_counts counts;
        tw_engine_rule_counts(e, i, &counts);
        if (counts.throttled)
            fprintf(out, "%" PRIu64 " event%s of %s did not go out: throttle\n",
                    counts.throttled, plural(counts.throttled), set->rules[i]->name);
    }
}

/* Whether anything is worth a word. */
static bool is_odd(const tw_replay_notes *n, const tw_engine *e)
{
    const tw_ruleset *set = tw_engine_rules(e);

    for (uint32_t i = 0; i < n->stream_count; i++) {
        if (n->streams[i] && (n->streams[i]->unread || n->streams[i]->bad))
            return true;
    }
    for (uint32_t i = 0; i < set->rule_count; i++) {
        tw_rule_counts counts;
        tw_engine_rule_counts(e, i, &counts);
        if (counts.keyless || counts.throttled ||
            (!counts.events && has_input(n, set->rules[i])))
            return true;
    }
    return false;
}

void tw_replay_notes_write(const tw_replay_notes *n, const tw_engine *e,
                           const tw_streams *streams, size_t lines, FILE *out)
{
    const tw_ruleset *set = tw_engine_rules(e);

    if (lines && !is_odd(n, e))
        return;
    fprintf(out, "%" PRIu64 " record%s, %u rule%s, %zu line%s of output\n", n->frames,
            plural(n->frames), set->rule_count, plural(set->rule_count), lines,
            plural(lines));
    if (!n->frames || !set->rule_count)
        return;
    write_streams(n, set, streams, out);
    write_idle_rules(n, e, false, out);
    write_idle_rules(n, e, true, out);
    write_keyless(e, out);
    write_throttled(e, out);
    write_fields(n, set, streams, out);
}
