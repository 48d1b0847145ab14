// SPDX-License-Identifier: Apache-2.0
/* The members of an incident, each a (rule, key) at a level, and which incidents a member holds open. Shore thread
 * only.
 *
 * Invariant: by_member leads from the name of each member to its incident and its place there; at_level counts the
 * members of an incident, so that neither finding one nor the highest of them looks at all. */
#include <string.h>

#include "alert/incident_impl.h"
#include "base/mem.h"

void tw_holding_free(void *p)
{
    tw_holding *h = p;

    tw_free(h->items);
    tw_free(h);
}

static tw_member *look_through(tw_incident *inc, const char *name, size_t len)
{
    for (uint32_t i = 0; i < inc->member_count; i++) {
        if (inc->members[i].name_len == len &&
            memcmp(inc->members[i].name, name, len) == 0)
            return &inc->members[i];
    }
    return NULL;
}

/* Among its members or among what the member holds, whichever are fewer. */
tw_member *tw_incident_member(tw_incident *inc, const char *name, size_t len)
{
    const tw_holding *h = tw_map_get_n(inc->in->by_member, name, len);

    if (h && inc->member_count < h->count)
        return look_through(inc, name, len);
    for (size_t i = 0; h && i < h->count; i++) {
        if (h->items[i].incident == inc)
            return &inc->members[h->items[i].member];
    }
    return NULL;
}

static void hold(tw_incident *inc, uint32_t member)
{
    const tw_member *m = &inc->members[member];
    tw_holding *h = tw_map_get_n(inc->in->by_member, m->name, m->name_len);

    if (!h) {
        h = tw_alloc(sizeof *h);
        tw_map_put_n(inc->in->by_member, m->name, m->name_len, h);
    }
    h->items = tw_realloc(h->items, (h->count + 1) * sizeof *h->items);
    h->items[h->count++] = (tw_held){inc, member};
}

void tw_incident_let_go(const tw_incident *inc, const char *name, size_t len)
{
    tw_incidents *in = inc->in;
    tw_holding *h = tw_map_get_n(in->by_member, name, len);
    size_t kept = 0;

    for (size_t i = 0; i < h->count; i++)
        if (h->items[i].incident != inc)
            h->items[kept++] = h->items[i];
    h->count = kept;
    if (kept == 0)
        tw_map_remove_n(in->by_member, name, len);
}

tw_member *tw_incident_add_member(tw_incident *inc, const char *name, size_t len)
{
    if (inc->member_count == inc->member_room) {
        inc->member_room = inc->member_room ? 2 * inc->member_room : 1;
        inc->members = tw_realloc(inc->members, inc->member_room * sizeof(tw_member));
    }
    tw_member *m = &inc->members[inc->member_count++];
    *m = (tw_member){.name = tw_alloc(len + 1),
                     .name_len = len,
                     .level = TW_LEVEL_OK,
                     .raised_ms = TW_TIME_NONE};
    memcpy(m->name, name, len);
    inc->at_level[TW_LEVEL_OK]++;
    hold(inc, inc->member_count - 1);
    return m;
}

void tw_incident_rename_member(tw_incident *inc, uint32_t member, char *name, size_t len)
{
    tw_member *m = &inc->members[member];

    tw_incident_let_go(inc, m->name, m->name_len);
    tw_free(m->name);
    m->name = name;
    m->name_len = len;
    hold(inc, member);
}

void tw_incident_set_member(tw_incident *inc, tw_member *m, tw_level level)
{
    inc->at_level[m->level]--;
    m->level = level;
    inc->at_level[level]++;
}

tw_level tw_incident_highest_member(const tw_incident *inc)
{
    int level = TW_LEVEL_UNKNOWN;

    while (level > TW_LEVEL_OK && inc->at_level[level] == 0)
        level--;
    return (tw_level)level;
}
