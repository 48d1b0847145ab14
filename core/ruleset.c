// SPDX-License-Identifier: Apache-2.0
/* Builds a generation of rules; see ruleset.h. Order of work: streams need the slots that
 * rules read, routers need the rules' matchers, domains need the tracks of the rules'
 * inputs. */
#include "ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/plan_emit.h"

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void add_unique(uint32_t **items, uint32_t *count, uint32_t value)
{
    for (uint32_t i = 0; i < *count; i++) {
        if ((*items)[i] == value)
            return;
    }
    *items = tw_realloc(*items, (*count + 1) * sizeof **items);
    (*items)[(*count)++] = value;
}

/* The track of a rule's input. rule NULL: the stream's own. */
static int find_track(tw_tracks *tracks, const tw_stream *stream, uint32_t time_slot,
                      const tw_rule *rule, uint32_t *out, tw_err *err)
{
    uint32_t track = tw_tracks_number(tracks, stream->id, time_slot,
                                      rule ? tw_rule_future(rule, stream) : TW_NO_FUTURE);

    if (track != TW_NO_TRACK) {
        *out = track;
        return TW_OK;
    }
    return tw_err_set(
        err, TW_ELIMIT,
        "%s%sno more room for time lines: every stream and every clock.time "
        "or clock.future of a rule on it is one, %d is the limit, and they are kept "
        "until "
        "the engine is started again",
        rule ? rule->name : stream->name, rule ? ": " : " (stream): ", TW_MAX_TRACKS);
}

/* Inputs of all rules that read one stream, filed in its router, and the tracks they
 * need. */
static int plan_inputs(tw_ruleset *set, const tw_stream *stream, uint32_t own_track,
                       tw_tracks *tracks, tw_stream_plan *out, tw_err *err)
{
    tw_router_builder *builder = tw_router_builder_new();
    int rc = TW_OK;

    add_unique(&out->tracks, &out->track_count, own_track);
    for (uint32_t r = 0; r < set->rule_count; r++) {
        for (uint32_t i = 0; i < set->rules[r]->input_count; i++) {
            const tw_input *in = &set->rules[r]->inputs[i];
            if (in->stream != stream)
                continue;
            tw_router_builder_add(builder, in->match, (tw_route_target){r, i});
            uint32_t track = TW_NO_TRACK;
            rc = rc < 0 ? rc
                        : find_track(tracks, stream, in->time_slot, set->rules[r], &track,
                                     err);
            if (rc == TW_OK)
                add_unique(&out->tracks, &out->track_count, track);
        }
    }
    out->router = tw_router_build(builder);
    return rc;
}

void tw_ground_init(tw_ground *g)
{
    *g = (tw_ground){0};
    tw_tracks_init(&g->tracks);
}

void tw_ground_done(tw_ground *g)
{
    for (uint32_t i = 0; i < g->projection_count; i++)
        tw_projection_free(g->projections[i]);
    tw_free(g->projections);
    tw_tracks_done(&g->tracks);
}

static bool projections_equal(const tw_projection *a, const tw_projection *b)
{
    return a->fields == b->fields && a->slot_count == b->slot_count &&
           a->count == b->count &&
           memcmp(a->slots, b->slots, a->count * sizeof *a->slots) == 0;
}

const tw_projection *tw_ground_intern(tw_ground *g, tw_projection *p)
{
    for (uint32_t i = 0; i < g->projection_count; i++) {
        if (projections_equal(g->projections[i], p)) {
            tw_projection_free(p);
            return g->projections[i];
        }
    }
    g->projections =
        tw_realloc(g->projections, (g->projection_count + 1) * sizeof(tw_projection *));
    g->projections[g->projection_count++] = p;
    return p;
}

static int plan_stream(tw_ruleset *set, const tw_stream *stream, tw_ground *ground,
                       tw_stream_plan *out, tw_err *err)
{
    uint32_t count = 0;
    uint32_t time_slot = TW_SLOT_TIME;
    bool read = false;

    out->changes = tw_remembered_plan_new(set, stream, ground);
    for (uint32_t r = 0; r < set->rule_count && !read; r++) {
        for (uint32_t i = 0; i < set->rules[r]->input_count; i++)
            read = read || set->rules[r]->inputs[i].stream == stream;
    }
    if (!read)
        return TW_OK;
    if (stream->time_path) {
        int slot = tw_fields_slot(stream->fields, stream->time_path, err);
        if (slot < 0)
            return slot;
        time_slot = (uint32_t)slot;
    }
    uint32_t *slots = tw_rule_files_slots(set->files, stream, &count);
    if (time_slot != TW_SLOT_TIME)
        add_unique(&slots, &count, time_slot);
    out->projection =
        tw_ground_intern(ground, tw_projection_new(stream->fields, slots, count));
    tw_free(slots);
    out->decode = tw_decode_plan_new(stream, out->projection, time_slot);
    uint32_t own_track = TW_NO_TRACK;
    int rc = find_track(&ground->tracks, stream, TW_SLOT_TIME, NULL, &own_track, err);
    return rc < 0 ? rc : plan_inputs(set, stream, own_track, &ground->tracks, out, err);
}

/* Every track it asks for was given a number by plan_inputs. */
static uint32_t domain_of(tw_ruleset *set, const tw_rule *rule, uint32_t rank,
                          tw_tracks *tracks)
{
    tw_domain_spec spec = {
        .lateness_ms = rule->lateness_ms, .idle_ms = rule->idle_ms, .rank = rank};

    for (uint32_t i = 0; i < rule->input_count; i++) {
        const tw_input *in = &rule->inputs[i];
        uint32_t track = tw_tracks_number(tracks, in->stream->id, in->time_slot,
                                          tw_rule_future(rule, in->stream));
        add_unique(&spec.tracks, &spec.track_count, track);
    }
    qsort(spec.tracks, spec.track_count, sizeof *spec.tracks, compare_u32);
    for (uint32_t d = 0; d < set->domain_count; d++) {
        if (tw_domain_spec_equal(&set->domains[d], &spec)) {
            tw_free(spec.tracks);
            return d;
        }
    }
    set->domains =
        tw_realloc(set->domains, (set->domain_count + 1) * sizeof *set->domains);
    set->domains[set->domain_count] = spec;
    return set->domain_count++;
}

/* How many rules stand before each in its longest chain; there are no circles. */
static uint32_t *rank_rules(const tw_ruleset *set)
{
    uint32_t *ranks = tw_calloc(set->rule_count + 1, sizeof *ranks);
    uint32_t *streams = tw_calloc(set->stream_count + 1, sizeof *streams);
    bool changed = true;

    for (uint32_t round = 0; changed && round <= set->rule_count; round++) {
        changed = false;
        for (uint32_t r = 0; r < set->rule_count; r++) {
            const tw_rule *rule = set->rules[r];
            for (uint32_t i = 0; i < rule->input_count; i++) {
                uint32_t rank = streams[rule->inputs[i].stream->id];
                ranks[r] = rank > ranks[r] ? rank : ranks[r];
            }
            if (rule->emit && streams[rule->emit->stream->id] <= ranks[r]) {
                streams[rule->emit->stream->id] = ranks[r] + 1;
                changed = true;
            }
        }
    }
    tw_free(streams);
    return ranks;
}

static void plan_domains(tw_ruleset *set, tw_tracks *tracks)
{
    uint32_t *ranks = rank_rules(set);

    set->rule_domain = tw_calloc(set->rule_count + 1, sizeof *set->rule_domain);
    set->rule_ordered = tw_calloc(set->rule_count + 1, sizeof *set->rule_ordered);
    set->rank_count = 1;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        set->rule_ordered[i] = ranks[i] > 0;
        if (ranks[i] >= set->rank_count)
            set->rank_count = ranks[i] + 1;
    }
    for (uint32_t rank = 0; rank < set->rank_count; rank++) {
        for (uint32_t i = 0; i < set->rule_count; i++) {
            if (ranks[i] == rank)
                set->rule_domain[i] = domain_of(set, set->rules[i], rank, tracks);
        }
    }
    tw_free(ranks);
    set->begins = tw_calloc(set->domain_count + 1, sizeof *set->begins);
    for (uint32_t d = 0; d < set->domain_count; d++)
        atomic_init(&set->begins[d], TW_TIME_NONE);
}

static tw_derived *find_derived(tw_ruleset *set, const tw_stream *stream,
                                tw_tracks *tracks)
{
    for (uint32_t i = 0; i < set->derived_count; i++) {
        if (set->derived[i].stream == stream)
            return &set->derived[i];
    }
    set->derived =
        tw_realloc(set->derived, (set->derived_count + 1) * sizeof *set->derived);
    set->derived_tracks =
        tw_realloc(set->derived_tracks, (set->derived_count + 1) * sizeof(uint32_t));
    tw_derived *d = &set->derived[set->derived_count];
    *d = (tw_derived){
        .stream = stream,
        .track = tw_tracks_number(tracks, stream->id, TW_SLOT_TIME, TW_NO_FUTURE)};
    set->derived_tracks[set->derived_count++] = d->track;
    return d;
}

static void plan_derived(tw_ruleset *set, tw_tracks *tracks)
{
    for (uint32_t r = 0; r < set->rule_count; r++) {
        const tw_rule *rule = set->rules[r];
        if (!rule->emit || rule->emit->stream->id >= set->stream_count ||
            !set->streams[rule->emit->stream->id].projection)
            continue;
        tw_derived *d = find_derived(set, rule->emit->stream, tracks);
        add_unique(&d->domains, &d->domain_count, set->rule_domain[r]);
    }
}

tw_ruleset *tw_ruleset_new(tw_rule_files *files, const tw_streams *streams,
                           tw_ground *ground, uint64_t generation, tw_err *err)
{
    tw_ruleset *set = tw_alloc(sizeof *set);
    uint32_t tracks_before = ground->tracks.count;

    set->generation = generation;
    set->files = tw_rule_files_ref(files);
    set->rule_count = tw_rule_files_rule_count(files);
    set->rules = tw_calloc(set->rule_count + 1, sizeof(tw_rule *));
    for (uint32_t i = 0; i < set->rule_count; i++)
        set->rules[i] = tw_rule_ref(tw_rule_files_rule(files, i));
    set->stream_count = tw_streams_count(streams);
    set->streams = tw_calloc(set->stream_count + 1, sizeof *set->streams);
    for (uint32_t i = 0; i < set->stream_count; i++) {
        if (plan_stream(set, tw_streams_at(streams, i), ground, &set->streams[i], err) <
            0)
            goto fail;
    }
    plan_domains(set, &ground->tracks);
    plan_derived(set, &ground->tracks);
    return set;

fail:
    ground->tracks.count = tracks_before; /* nobody has seen the new ones */
    tw_ruleset_free(set);
    return NULL;
}

void tw_ruleset_free(tw_ruleset *set)
{
    if (!set)
        return;
    for (uint32_t i = 0; i < set->stream_count; i++) {
        tw_remembered_plan_free(set->streams[i].changes);
        tw_router_free(set->streams[i].router);
        tw_decode_plan_free(set->streams[i].decode);
        tw_free(set->streams[i].tracks);
    }
    for (uint32_t i = 0; i < set->domain_count; i++)
        tw_free(set->domains[i].tracks);
    for (uint32_t i = 0; i < set->rule_count; i++)
        tw_rule_unref(set->rules[i]);
    tw_rule_files_unref(set->files);
    tw_free(set->streams);
    tw_free(set->begins);
    tw_free(set->domains);
    for (uint32_t i = 0; i < set->derived_count; i++)
        tw_free(set->derived[i].domains);
    tw_free(set->derived);
    tw_free(set->derived_tracks);
    tw_free(set->rule_ordered);
    tw_free(set->rule_domain);
    tw_free(set->rules);
    tw_free(set);
}

int64_t tw_ruleset_find(const tw_ruleset *set, const char *name)
{
    for (uint32_t i = 0; i < set->rule_count; i++) {
        if (strcmp(set->rules[i]->name, name) == 0)
            return i;
    }
    return -1;
}

int64_t tw_ruleset_before(const tw_ruleset *old, const tw_rule *fresh)
{
    int64_t number = tw_ruleset_find(old, fresh->name);

    for (uint32_t i = 0; number < 0 && i < fresh->was_count; i++)
        number = tw_ruleset_find(old, fresh->was[i]);
    return number;
}

bool tw_ruleset_emits(const tw_ruleset *set, const tw_stream *stream)
{
    for (uint32_t i = 0; i < set->rule_count; i++) {
        if (set->rules[i]->emit && set->rules[i]->emit->stream == stream)
            return true;
    }
    return false;
}
