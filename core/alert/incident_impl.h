// SPDX-License-Identifier: Apache-2.0
/* The inside of the incident stage, for alert/ only. What happens to a signal:
 *
 *     signal -> incident.c   members, level; flap.c: has it changed too often
 *            -> tell.c       is there something to tell, and may it be told
 *                 marks.c    inhibited, silenced (quiet.c, silence.c), outside `active`
 *                 aged.c     too old to be told
 *            -> group.c      waits for company
 *            -> storm.c      too many: a summary stands for it
 *            -> note.c       a notification leaves
 *
 * tell.c compares what is with what was told, whoever calls it, so that a missed or a doubled
 * call does no harm. Every wait is a tw_wait. */
#ifndef TW_ALERT_INCIDENT_IMPL_H
#define TW_ALERT_INCIDENT_IMPL_H

#include "alert/wait.h"
#include "alert/incident.h"
#include "base/map.h"

/* One (rule, key) that holds an incident open, and the level it is at. */
typedef struct tw_member {
    char *name; /* rule, NUL, key bytes */
    size_t name_len;
    tw_level level;
    int64_t raised_ms; /* when it last rose or occurred; TW_TIME_NONE: it never did */
} tw_member;

/* The incidents that one (rule, key) holds open, and which of their members it is: a handler's key may hold
 * several. */
typedef struct tw_held {
    struct tw_incident *incident;
    uint32_t member;
} tw_held;

typedef struct tw_holding {
    tw_held *items;
    size_t count;
} tw_holding;

/* Why an incident is not told, or not as usual. */
enum {
    TW_MARK_INHIBITED = 1,
    TW_MARK_SILENCED = 2,
    TW_MARK_INACTIVE = 4, /* outside `active` */
    TW_MARKS_MUTE = 7,
    TW_MARK_FLAPPING = 8,
    TW_MARK_ACKNOWLEDGED = 16
};

/* Where an incident is found; see peers.h. */
typedef struct tw_seat {
    struct tw_bucket *bucket;
    uint32_t place;
    bool is_held;
} tw_seat;

typedef struct tw_group tw_group;
typedef struct tw_storm tw_storm;
typedef struct tw_incident tw_incident;

struct tw_incident {
    tw_incidents *in;
    char *id;
    tw_rule *rule; /* the one that opened it, in its newest version */
    char *told_as; /* the name that the rule had when it was told; NULL: its own */
    tw_member *members;
    uint32_t member_count, member_room;
    uint32_t at_level[TW_LEVEL_UNKNOWN + 1]; /* how many of them */
    tw_level
        level; /* the highest of its members; while it flaps, the last that was not OK */
    tw_level highest; /* so far in this episode */
    int64_t opened_ms;
    uint64_t occurrences;
    json_t *labels, *values, *evidence, *enrich;
    json_t
        *entities; /* what it is about: field to value, as text; fixed like the labels */
    char *route, *title, *body;
    /* its end */
    int64_t resolve_ms, calm_ms; /* TW_WAIT_NEVER: no such deadline */
    tw_wait end;
    /* what is told */
    unsigned marks;
    char *acked_by; /* with TW_MARK_ACKNOWLEDGED */
    tw_level
        told; /* what is known of it, by itself or by what stands for it; OK: nothing */
    tw_level peak;  /* the highest that was told */
    bool announced; /* a receiver knows of it by itself, or in its group */
    bool flap_told;
    bool again;         /* what muted it is over: tell it once more */
    bool aged;          /* what is `told` became a record only */
    tw_signal *aged_by; /* what opened it, where its words change with time; NULL */
    int64_t
        since_ms; /* since when there is something to tell; TW_TIME_NONE: there is not */
    int64_t want_ms;        /* the same, and no inhibitor holds it back */
    int64_t remind_ms;      /* next reminder; TW_WAIT_NEVER */
    int64_t muted_until_ms; /* when marks change by themselves; TW_WAIT_NEVER */
    tw_wait tell;
    tw_group *group; /* while it is in one */
    uint32_t group_place;
    bool queued;                            /* in the group, and not told by it yet */
    tw_storm *storm;                        /* whose summary stands for it; NULL: none */
    tw_incident *storm_next, *storm_before; /* of that */
    tw_seat *seats;                         /* peers.c */
    uint32_t seat_count, seat_room;
    bool held_by_any; /* inhibited, and any fall of another may end that */
    tw_course *course;
    tw_incident *next, **link; /* among those of its rule */
};

struct tw_incidents {
    tw_incidents_options options;
    tw_map *by_id;     /* id -> tw_incident, owns */
    tw_map *by_member; /* member name -> tw_holding, owns */
    tw_map *courses;
    tw_map *flaps;           /* id -> flap.c's history, owns; outlives the incident */
    tw_map *groups;          /* group id -> tw_group, owns */
    tw_map *storms;          /* storm id -> tw_storm, owns */
    tw_map *silences;        /* id -> tw_silence, owns */
    uint64_t silence_number; /* last given */
    struct tw_peers *peers;
    size_t held_by_any; /* how many incidents are */
    uint64_t seq;       /* of the input line at work */
    /* Who is being raised, and by what; NULL: nobody. */
    tw_incident *raised;
    const tw_signal *raised_by;
    tw_counter *firing, *resolved, *dropped, *stormed, *aged;
    tw_gauge *open;
};

/* What is to be told of an incident. */
typedef enum tw_telling {
    TW_TELL_NOTHING,
    TW_TELL_OPEN,
    TW_TELL_RISE,
    TW_TELL_FALL,
    TW_TELL_FLAPS,
    TW_TELL_AGAIN, /* what muted it is over */
    TW_TELL_REMIND
} tw_telling;

/* incident.c */
void tw_incident_report(const tw_incident *inc, const char *change, const char *reason,
                        int64_t at_ms);
/* Ends it; it is gone afterwards. */
void tw_incident_close(tw_incident *inc, int64_t at_ms, const char *reason);
void tw_incident_set_end(tw_incident *inc);
/* A new one, in its maps; takes the id. */
tw_incident *tw_incident_new(tw_incidents *in, tw_rule *rule, char *id,
                             int64_t opened_ms);

/* member.c. A member is good until the next one is added. */
tw_member *tw_incident_member(tw_incident *inc, const char *name,
                              size_t len); /* NULL: none */
tw_member *tw_incident_add_member(tw_incident *inc, const char *name, size_t len);
/* Takes the name. */
void tw_incident_rename_member(tw_incident *inc, uint32_t member, char *name, size_t len);
void tw_incident_set_member(tw_incident *inc, tw_member *m, tw_level level);
tw_level tw_incident_highest_member(const tw_incident *inc);
void tw_incident_let_go(const tw_incident *inc, const char *name, size_t len);
void tw_holding_free(void *holding);

/* flap.c: the highest level of the members changed; it may flap from now on. */
void tw_flap_changed(tw_incident *inc, int64_t at_ms);
void tw_flap_calmed(tw_incident *inc);
void tw_flap_free(void *history);

/* marks.c: brings marks up to date and says (muted_until_ms) when they change by themselves. */
void tw_marks_update(tw_incident *inc, int64_t at_ms);
void tw_marks_drop(tw_incident *inc); /* it is about to be freed */
/* The id of one that inhibits it now, or NULL. */
const char *tw_marks_inhibitor_of(const tw_incident *inc);
static inline bool tw_incident_is_muted(const tw_incident *inc)
{
    return inc->marks & TW_MARKS_MUTE;
}
/* Something that may have inhibited others fires no longer, or at another level than before. */
void tw_marks_inhibitor_changed(const tw_incident *inhibitor, tw_level before,
                                int64_t at_ms);
/* The value of a label as matchers see it: "severity" and "rule" are there for all. */
const char *tw_incident_label(const tw_incident *inc, const char *name);

/* quiet.c: the id of a silence that covers it now, or NULL; when that changes by itself lowers
 * *io_until_ms. */
const char *tw_quiet_silence_of(const tw_incident *inc, int64_t at_ms,
                                int64_t *io_until_ms);

/* incident_show.c: the id, group or summary that is most like this, or NULL. */
const char *tw_incident_near(const tw_incidents *in, const char *id);

/* tell.c */
void tw_tell(tw_incident *inc, int64_t at_ms);
void tw_tell_due(void *incident, int64_t at_ms);
/* It waits no longer, if it does. */
void tw_tell_at_once(tw_incident *inc, int64_t at_ms);
/* It is told now, by a notification of its own or that of its group: what is known of it. */
void tw_tell_done(tw_incident *inc, int64_t at_ms, bool announced);
/* It has ended: its resolve, if anybody knows of it. */
void tw_tell_end(tw_incident *inc, int64_t at_ms, const char *reason);

/* group.c */
void tw_group_take(tw_incident *inc, tw_telling what, int64_t at_ms);
void tw_group_leave(tw_incident *inc, int64_t at_ms, bool ended);
void tw_group_queue(tw_incident *inc, bool queued);
/* Groups that wait for company are told as they are. */
void tw_groups_at_once(tw_incidents *in, int64_t at_ms);
const char *tw_group_name(const tw_group *group);
/* When it goes out next; TW_WAIT_NEVER: nothing is planned. */
int64_t tw_group_due_ms(const tw_group *group);
void tw_group_free(void *group);
/* Its groups go by the newer version at their next turn. */
void tw_group_rule_edited(tw_incidents *in, tw_rule *now);
/* The rule's groups go on by its clock of the new name, and are told by the old one. */
void tw_group_rule_moved(tw_incidents *in, const char *old, tw_rule *now);

/* storm.c */
/* The storm that it is beyond the max of: nothing of it is told, and all it is about is handed to stand_for.
 * NULL: it is told. */
tw_storm *tw_storm_takes(tw_incidents *in, tw_rule *rule, const tw_notification *n,
                         tw_telling what);
void tw_storm_stand_for(tw_storm *s, tw_incident *inc, int64_t at_ms);
/* It is over: a summary stands for it no longer, if one did. */
void tw_storm_leave(tw_incident *inc, int64_t at_ms, const char *reason);
const char *tw_storm_name(const tw_storm *s);
void tw_storm_free(void *storm);
/* Summaries that wait to be told are told as they are. */
void tw_storms_at_once(tw_incidents *in, int64_t at_ms);
/* What the rule opened is over. */
void tw_storm_rule_gone(tw_incidents *in, const char *rule);
void tw_storm_rule_edited(tw_incidents *in, tw_rule *now);
/* Summaries go on by the clock of the new name, and are told by the old one. */
void tw_storm_rule_moved(tw_incidents *in, const char *old, tw_rule *now);

/* aged.c: true when it is too old to be told; it is a record then. */
bool tw_aged_takes(tw_incident *inc, int64_t at_ms);
/* Somebody knows of it in another way: no notice stands for it any more. */
void tw_aged_known(tw_incident *inc);
/* last: nobody will be here a moment later. */
void tw_aged_advance(tw_incidents *in, tw_rule_clock clock, void *self, bool last);
void tw_aged_rule_gone(tw_incidents *in, tw_course *course, const char *reason,
                       int64_t at_ms);
void tw_aged_free(tw_course *course);

/* note.c */
tw_notification *tw_note_of(const tw_incident *inc, int64_t at_ms, bool resolved,
                            const char *reason, tw_telling what);
void tw_note_send(tw_incidents *in, tw_notification *n); /* takes it */
/* What all notifications have; the caller fills in the rest. name: identity of what it is about. */
tw_notification *tw_note_new(tw_incidents *in, const tw_rule *rule, const char *name,
                             int64_t opened_ms, int64_t at_ms, bool resolved);
/* As if by the rule's name of then; NULL: it has none. Before it is identified. */
void tw_note_told_as(tw_notification *n, const char *rule);
/* The id of this very message. Tellings of one kind that may come again carry their time. */
void tw_note_identify(tw_notification *n, tw_level level, bool may_recur);
json_t *tw_note_label_values(const json_t *labels, char *const *names, uint32_t count);
char *tw_note_name(const tw_rule *rule, const char *kind, const json_t *values,
                   char *const *names, uint32_t count);

/* incident_text.c */
/* What a signal's templates see. */
typedef struct tw_signal_view {
    tw_incidents *in;
    const tw_signal *signal;
    tw_value key[TW_MAX_KEY_FIELDS];
    uint32_t key_count;
    json_t *enrich; /* look-ups done so far: name -> row or null */
    bool missed;    /* a look-up with miss = "drop" found nothing */
} tw_signal_view;

void tw_signal_view_init(tw_signal_view *v, tw_incidents *in, const tw_signal *s);
void tw_signal_view_done(tw_signal_view *v);
/* Does every look-up of the rule, so that `missed` is known. */
void tw_signal_view_enrich(tw_signal_view *v);
char *tw_signal_incident_id(tw_signal_view *v); /* tw_free */
json_t *tw_signal_labels(tw_signal_view *v);

/* about.c: what else happened to the same thing. */
json_t *tw_signal_entities(tw_signal_view *v);
/* The row that `context` stands for. */
json_t *tw_signal_context(tw_signal_view *v, const tw_context_plan *plan);
/* The newest changes of what it is about, from an hour before it opened. New reference; NULL: none. */
json_t *tw_incident_changes(const tw_incident *inc, int64_t at_ms);
/* The same among what others had; the newest of all stay. */
void tw_incident_add_changes(const tw_incident *inc, int64_t at_ms, json_t *all);
/* It opened, changed its level, or ended: remembered of what it is about. */
void tw_incident_note(const tw_incident *inc, const char *status, tw_level level,
                      int64_t at_ms);
/* A template as text of at most so many bytes; tw_free. */
char *tw_signal_text(tw_signal_view *v, const tw_template *t, size_t most);
json_t *tw_signal_part(tw_signal_view *v,
                       const tw_part *part); /* new reference or NULL */
/* Renders title, body, route, values and evidence of `s` into the incident. */
void tw_incident_render(tw_incident *inc, tw_signal_view *v);

#endif
