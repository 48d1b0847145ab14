// SPDX-License-Identifier: Apache-2.0
/* Functions that judge several events: `where(l, r)`, `where(e, m)`, `where(g)`, `migrate(old)`. The event that just came
 * is lent like any other; those that were kept are tables of what was kept of them, made for the call. */
#include <string.h>

#include "rule/script_impl.h"

typedef struct events_job {
    tw_lua_script *s;
    const tw_rule *rule;
    const tw_arg *args;
    uint32_t count;
    bool holds;
} events_job;

static void push_kept(lua_State *L, const events_job *job, const tw_kept_view *kept)
{
    const tw_rule *rule = job->rule;
    const tw_stream *stream = tw_streams_at(job->s->set->streams, kept->stream);

    lua_createtable(L, 0, (int)rule->kept_count + 4);
    for (uint32_t i = 0; kept->values && i < rule->kept_count; i++) {
        tw_script_push(L, job->s, kept->values[i]);
        lua_setfield(L, -2, rule->kept[i]);
    }
    lua_pushinteger(L, kept->time_ms);
    lua_setfield(L, -2, "@time");
    lua_pushstring(L, stream ? stream->name : "");
    lua_setfield(L, -2, "@stream");
    lua_pushinteger(L, kept->origin.via ? -1 : kept->origin.partition);
    lua_setfield(L, -2, "@partition");
    lua_pushinteger(L, kept->origin.offset);
    lua_setfield(L, -2, "@offset");
}

static void push_role(lua_State *L, const events_job *job, const tw_role *role,
                      const tw_role_view *view)
{
    if (!role->is_list) {
        push_kept(L, job, &view->last);
        return;
    }
    lua_createtable(L, 0, 3);
    push_kept(L, job, &view->first);
    lua_setfield(L, -2, "first");
    push_kept(L, job, &view->last);
    lua_setfield(L, -2, "last");
    lua_pushinteger(L, view->count);
    lua_setfield(L, -2, "count");
}

static void push_roles(lua_State *L, const events_job *job, const tw_role_view *roles)
{
    lua_createtable(L, 0, (int)job->rule->role_count);
    for (uint32_t i = 0; i < job->rule->role_count; i++) {
        if (roles[i].count == 0)
            continue;
        push_role(L, job, &job->rule->roles[i], &roles[i]);
        lua_setfield(L, -2, job->rule->roles[i].name);
    }
}

/* Inside the sandbox, since tables are made. */
static int run_events(lua_State *L)
{
    events_job *job = lua_touserdata(L, 1);
    tw_lua_script *s = job->s;

    lua_rawgeti(L, LUA_REGISTRYINDEX, s->fns[s->now.fn]);
    for (uint32_t i = 0; i < job->count; i++) {
        const tw_arg *arg = &job->args[i];
        switch (arg->kind) {
        case TW_ARG_EVENT:
            lua_rawgeti(L, LUA_REGISTRYINDEX, s->event);
            break;
        case TW_ARG_KEPT:
            push_kept(L, job, &arg->kept);
            break;
        case TW_ARG_ROLES:
            push_roles(L, job, arg->roles);
            break;
        }
    }
    lua_call(L, (int)job->count, 1);
    job->holds = lua_toboolean(L, -1);
    return 0;
}

int tw_script_test_events(tw_script *base, int fn, const tw_arg *args, uint32_t count,
                          bool *out)
{
    tw_lua_script *s = (tw_lua_script *)base;
    events_job job = {.s = s, .args = args, .count = count};
    tw_script_call call = {.fn = fn};

    for (uint32_t i = 0; i < count; i++)
        if (args[i].kind == TW_ARG_EVENT)
            call.ev = args[i].ev;
    if (fn >= 0 && fn < s->file->fn_count)
        job.rule = s->file->rules[s->file->fn_rule[fn]];
    int rc = tw_script_run(s, &call, run_events, &job);
    if (rc == TW_OK)
        tw_script_covered(s, fn, *out = job.holds);
    return rc;
}

/* ---- migrate ----------------------------------------------------------------------- */

typedef struct migrate_job {
    events_job events; /* rule: the old one, whose events they are */
    tw_migration *m;
} migrate_job;

static void push_old(lua_State *L, const migrate_job *job)
{
    const tw_migration *m = job->m;

    lua_createtable(L, 0, 3);
    lua_pushstring(L, m->step);
    lua_setfield(L, -2, "step");
    push_roles(L, &job->events, m->roles);
    lua_setfield(L, -2, "taken");
    lua_createtable(L, 0, (int)m->key_count);
    for (uint32_t i = 0; i < m->key_count && i < m->old->key_count; i++) {
        tw_script_push(L, job->events.s, m->key[i]);
        lua_setfield(L, -2, m->old->key_names[i]);
    }
    lua_setfield(L, -2, "key");
}

static int find_answer(const tw_migration *m, const char *name)
{
    for (uint32_t i = 0; i < m->step_count; i++)
        if (strcmp(m->steps[i], name) == 0)
            return (int)i;
    return -1;
}

/* Told at the line of the function. */
static int refuse_answer(lua_State *L, const migrate_job *job, const char *answer)
{
    lua_Debug ar;

    lua_rawgeti(L, LUA_REGISTRYINDEX, job->events.s->fns[job->events.s->now.fn]);
    lua_getinfo(L, ">S", &ar);
    return luaL_error(L, "%s:%d: migrate: there is no step '%s'", ar.short_src,
                      ar.linedefined, answer);
}

static int run_migrate(lua_State *L)
{
    migrate_job *job = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, job->events.s->fns[job->events.s->now.fn]);
    push_old(L, job);
    lua_call(L, 1, 1);
    if (!lua_toboolean(L, -1))
        return 0;
    const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    job->m->answer = name ? find_answer(job->m, name) : -1;
    return job->m->answer >= 0
               ? 0
               : refuse_answer(L, job, name ? name : luaL_typename(L, -1));
}

int tw_script_migrate(tw_script *base, int fn, tw_migration *m)
{
    tw_lua_script *s = (tw_lua_script *)base;
    migrate_job job = {.events = {.s = s, .rule = m->old}, .m = m};
    tw_script_call call = {.fn = fn};

    return tw_script_run(s, &call, run_migrate, &job);
}
