// SPDX-License-Identifier: Apache-2.0
/* Compiles a projection. Runs on the shore whenever rules change, so it may take its
 * time: the table of a node is four times its members wide and its multiplier is the best
 * of many. */
#include "decode/plan.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

#define TABLE_TRIES 200
#define LEAST_PLACES 16
#define LEAST_SHIFT 60

static _Atomic uint64_t plans_made;
static tw_decode_member *no_members[LEAST_PLACES];
const tw_decode_node tw_decode_no_wishes = {
    .slot = TW_NO_SLOT, .table = no_members, .shift = LEAST_SHIFT};

static tw_decode_node *new_node(void)
{
    tw_decode_node *node = tw_alloc(sizeof *node);

    node->slot = TW_NO_SLOT;
    return node;
}

static void free_node(tw_decode_node *node)
{
    for (tw_decode_member *m = node->members, *next; m; m = next) {
        next = m->next;
        free_node(m->node);
        tw_free(m);
    }
    for (tw_decode_element *e = node->elements, *next; e; e = next) {
        next = e->next;
        free_node(e->node);
        tw_free(e);
    }
    tw_free(node->below);
    tw_free(node->table);
    tw_free(node);
}

static tw_decode_node *member(tw_decode_node *node, const tw_path_step *step)
{
    tw_decode_member *m = node->members;

    while (m && (m->len != step->name_len || memcmp(m->name, step->name, m->len) != 0)) {
        m = m->next;
    }
    if (!m) {
        m = tw_alloc(sizeof *m);
        *m = (tw_decode_member){.name = step->name,
                                .len = step->name_len,
                                .node = new_node(),
                                .next = node->members};
        node->members = m;
    }
    return m->node;
}

static tw_decode_node *element(tw_decode_node *node, uint32_t index)
{
    tw_decode_element *e = node->elements;

    while (e && e->index != index) {
        e = e->next;
    }
    if (!e) {
        e = tw_alloc(sizeof *e);
        *e = (tw_decode_element){
            .index = index, .node = new_node(), .next = node->elements};
        node->elements = e;
    }
    return e->node;
}

static void add_below(tw_decode_node *node, uint32_t slot)
{
    node->below = tw_realloc(node->below, (node->below_count + 1) * sizeof *node->below);
    node->below[node->below_count++] = slot;
}

static void add_path(tw_decode_plan *plan, uint32_t slot)
{
    const tw_field *field = tw_fields_at(plan->projection->fields, slot);
    tw_decode_node *node = plan->root;

    if (!field) {
        return;
    }
    for (uint32_t n = 0; n < field->step_count; n++) {
        const tw_path_step *step = &field->steps[n];
        add_below(node, slot);
        node = step->name ? member(node, step) : element(node, step->index);
    }
    node->slot = slot;
    if (field->step_count == 1 && strcmp(field->path, "message") == 0) {
        plan->message_slot = slot;
    }
    plan->filled[plan->filled_count++] = slot;
}

/* How many members share their place with another one. */
static uint32_t count_clashes(const tw_decode_node *node, bool *taken, uint32_t places)
{
    uint32_t clashes = 0;

    memset(taken, 0, places * sizeof *taken);
    for (const tw_decode_member *m = node->members; m; m = m->next) {
        uint32_t at = tw_decode_name_place(node, tw_decode_name_bits(m->name, m->len));
        clashes += taken[at];
        taken[at] = true;
    }
    return clashes;
}

static void choose_multiplier(tw_decode_node *node, uint32_t places)
{
    bool *taken = tw_calloc(places, sizeof *taken);
    uint64_t best = 0, seed = 1;
    uint32_t least = UINT32_MAX;

    for (int n = 0; n < TABLE_TRIES && least > 0; n++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        node->multiplier = seed | 1;
        uint32_t clashes = count_clashes(node, taken, places);
        if (clashes < least) {
            least = clashes;
            best = node->multiplier;
        }
    }
    node->multiplier = best;
    tw_free(taken);
}

static void build_table(tw_decode_node *node, const tw_decode_node *root)
{
    uint32_t count = 0, places = LEAST_PLACES;

    for (tw_decode_element *e = node->elements; e; e = e->next) {
        build_table(e->node, root);
    }
    for (tw_decode_member *m = node->members; m; m = m->next) {
        build_table(m->node, root);
        count++;
    }
    if (count == 0 && node != root) {
        return;
    }
    node->shift = LEAST_SHIFT;
    while (places < 4 * count) {
        places *= 2;
        node->shift--;
    }
    choose_multiplier(node, places);
    node->table = tw_calloc(places, sizeof(tw_decode_member *));
    for (tw_decode_member *m = node->members; m; m = m->next) {
        uint32_t at = tw_decode_name_place(node, tw_decode_name_bits(m->name, m->len));
        m->same = node->table[at];
        node->table[at] = m;
    }
}

tw_decode_plan *tw_decode_plan_new(const tw_stream *stream, const tw_projection *p,
                                   uint32_t time_slot)
{
    tw_decode_plan *plan = tw_alloc(sizeof *plan);
    bool has_time = time_slot < TW_SLOT_FIRST_FIELD;

    (void)stream;
    plan->number = atomic_fetch_add_explicit(&plans_made, 1, memory_order_relaxed) + 1;
    plan->projection = p;
    plan->time_slot = has_time ? TW_SLOT_TIME : time_slot;
    plan->slot_room = p->slot_count > time_slot ? p->slot_count : time_slot + 1;
    plan->filled = tw_calloc(p->count + 1, sizeof *plan->filled);
    plan->message_slot = TW_NO_SLOT;
    plan->root = new_node();
    for (uint32_t n = 0; n < p->count; n++) {
        add_path(plan, p->slots[n]);
        has_time = has_time || p->slots[n] == time_slot;
    }
    if (!has_time) {
        add_path(plan, time_slot);
    }
    build_table(plan->root, plan->root);
    return plan;
}

void tw_decode_plan_free(tw_decode_plan *plan)
{
    if (!plan) {
        return;
    }
    free_node(plan->root);
    tw_free(plan->filled);
    tw_free(plan);
}
