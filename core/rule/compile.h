// SPDX-License-Identifier: Apache-2.0
/* From the tree of one registered rule to its plan, one file a noun: plan_rule, plan_input,
 * plan_match, plan_expr, plan_window, plan_level, plan_handler, plan_alert, plan_enrich, plan_hash.
 * Every mistake becomes a finding with its place and the work goes on, so that one load tells
 * them all. A rule with a finding is thrown away as a whole; until then it may be half built. */
#ifndef TW_RULE_COMPILE_H
#define TW_RULE_COMPILE_H

#include "rule/findings.h"
#include "rule/locate.h"
#include "rule/tokens.h"
#include "rule/tree.h"

typedef struct tw_rule_text {
    const char *path, *text;
    size_t size;
    tw_tokens tokens;
} tw_rule_text;

typedef struct tw_compiler {
    const tw_rule_options *options;
    const tw_rule_text *source;
    tw_findings *findings;
    size_t first_finding; /* of this file */
    size_t mistakes;      /* errors so far, also those told before or too many to tell */
    tw_arena *arena;      /* scratch of this load */
    tw_rule *rule;        /* being built */
    const tw_tree *body;  /* the rule's table */
    const tw_tree *params;
    const char *lookup; /* whose key is being compiled; NULL */
    const char *const
        *shaping; /* options of the detector that shape its state, NULL-terminated */
    bool
        keeps; /* its detector keeps events: fields of roles and of plain paths are kept */
    bool keeps_for_functions; /* and functions read them, too */
} tw_compiler;

/* What a rule file registered to a plan; NULL when it had findings. */
tw_rule *tw_compile_rule(tw_compiler *c, tw_tree *rule);

/* ---- findings */
void tw_compile_say(tw_compiler *c, const tw_tree *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void tw_compile_warn(tw_compiler *c, const tw_tree *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void tw_compile_place(const tw_compiler *c, const tw_tree *at, int *out_line,
                      int *out_column);
/* " (did you mean 'x'?)" or "" for a wrong name; lives as long as the arena. */
const char *tw_compile_hint(tw_compiler *c, const char *name, const char *const *names,
                            size_t count);

/* ---- values. Parameters are put in and arithmetic on numbers is done. Never NULL for a value. */
const tw_tree *tw_compile_value(tw_compiler *c, const tw_tree *v);
bool tw_compile_is_told(const tw_tree *v); /* its finding is already there */
/* A resolved scalar of a matcher or a parameter; text is borrowed from the tree. */
bool tw_compile_scalar(const tw_tree *v, tw_value *out);
bool tw_compile_duration(tw_compiler *c, const tw_tree *v, const char *what,
                         int64_t *out_ms);
json_t *tw_compile_json(const tw_tree *v); /* new reference; NULL for what JSON has not */

/* ---- options of a table */
typedef enum tw_option_type {
    TW_OPTION_TEXT,     /* const char * */
    TW_OPTION_DURATION, /* int64_t, milliseconds; at least `min` */
    TW_OPTION_NUMBER,   /* tw_bound */
    TW_OPTION_WHOLE,    /* int64_t; `min` to `max` */
    TW_OPTION_FLAG,     /* bool */
    TW_OPTION_FUNCTION, /* int */
    TW_OPTION_CHOICE,   /* int: place in `choices` */
    TW_OPTION_TABLE,    /* const tw_tree * */
    TW_OPTION_ANY,      /* const tw_tree * */
    TW_OPTION_LATER,    /* known, refused as not supported yet */
    TW_OPTION_ELSEWHERE /* not here: choices[0] says where it belongs */
} tw_option_type;

typedef struct tw_option {
    const char *name; /* NULL ends the list */
    tw_option_type type;
    size_t at; /* offset in the caller's struct */
    int64_t min, max;
    const char *const *choices; /* NULL-terminated */
} tw_option;

/* Reads every keyed entry of `table` into `out`, whose defaults the caller has set; entries that are
 * absent leave it alone. `what` names the table in findings ("crit"). False when there was an
 * option that is not known: what seems to be missing may be meant by it. */
bool tw_options_read(tw_compiler *c, const tw_tree *table, const char *what,
                     const tw_option *options, void *out);
/* Finds items in a table that takes only options. */
void tw_options_no_items(tw_compiler *c, const tw_tree *table, const char *what);

/* ---- plan_names.c: names, where it is known which there are. Inputs are a set of bits; 0: all of the rule. */
/* A field of that stream, or a column of the table it stands for; else false with a finding. */
bool tw_compile_declared(tw_compiler *c, const tw_tree *at, const tw_stream *stream,
                         uint32_t slot);
/* A field that events of at least one of the inputs may have. */
int tw_compile_some_field(tw_compiler *c, uint64_t inputs, const char *path, tw_err *err);
/* The rule reads that column. */
int tw_compile_column(tw_compiler *c, const char *table, const char *name, tw_err *err);
/* The rule reads "owner.team" of its look-up `owner`. */
int tw_compile_looked_up(tw_compiler *c, const char *path, tw_err *err);
/* The field is declared as wanted, or not declared; else false with a finding. why: "sum takes". */
bool tw_compile_type(tw_compiler *c, const tw_tree *at, const tw_stream *stream,
                     uint32_t slot, tw_declared_type wanted, const char *why);
/* What a function reads of an event of one of the inputs, or of roles by their names (`m.d.version`). fn may be
 * NULL. */
void tw_compile_event_reads(tw_compiler *c, const tw_tree *fn, uint32_t param,
                            uint64_t inputs);
void tw_compile_role_reads(tw_compiler *c, const tw_tree *fn, uint32_t param);

/* ---- parts of a rule. table may be of any type: these check it. */
bool tw_compile_path(tw_compiler *c, const tw_tree *at, tw_stream *stream,
                     const char *path, uint32_t *out_slot);
/* The same for a name that need not be one of this stream. */
bool tw_compile_slot(tw_compiler *c, const tw_tree *at, tw_stream *stream,
                     const char *path, uint32_t *out_slot);
void tw_compile_inputs(tw_compiler *c, const tw_tree *inputs, const char *time_path);
void tw_compile_key(tw_compiler *c, const tw_tree *key);
/* Number of an input by name, or -1 with a finding. */
int tw_compile_input_number(tw_compiler *c, const tw_tree *at, const tw_tree *name);
/* Among events of one time those of earlier inputs are judged first (with lateness): the inputs of these
 * numbers become the first ones, in this order. To be called before anything else keeps a number. */
void tw_compile_input_order(tw_compiler *c, const uint32_t *first, uint32_t count);
/* NULL table for no matchers; *out_where may be NULL where functions have no place. */
tw_match_table *tw_compile_match(tw_compiler *c, const tw_tree *table, tw_stream *stream,
                                 int *out_where);
/* `of`: fills aggs, names and values of the rule's level plan. */
void tw_compile_values(tw_compiler *c, const tw_tree *of);

/* Options of a window as written; the level reads them with its own. */
typedef struct tw_window_options {
    int64_t over_ms, last, exact, gap_ms, max_ms;
    const tw_tree *every, *zone;
    bool full;
    bool incomplete; /* an option was not known: it may have been the window's */
    int align;
} tw_window_options;
void tw_compile_window(tw_compiler *c, const tw_tree *level,
                       const tw_window_options *given);

/* ---- detectors, a file each. word: `join { ... }`. Each sets rule->detector and c->shaping (items
 * always shape); one with a plan of its own sets detail, detail_free and span_ms, and one that keeps
 * events c->keeps, before any template is compiled. */
void tw_compile_level(tw_compiler *c, const tw_tree *level);
void tw_compile_measure(tw_compiler *c, const tw_tree *measure);
void tw_compile_handler(tw_compiler *c, const tw_tree *handler);
void tw_compile_session(tw_compiler *c, const tw_tree *session);
void tw_compile_change(tw_compiler *c, const tw_tree *change);
void tw_compile_join(tw_compiler *c, const tw_tree *join);
void tw_compile_together(tw_compiler *c, const tw_tree *together);
void tw_compile_seq(tw_compiler *c, const tw_tree *seq);
void tw_compile_missing(tw_compiler *c, const tw_tree *missing);
void tw_compile_impact(tw_compiler *c, const tw_tree *impact);
/* "not better": the verdicts that raise the alert of an impact rule. */
void tw_compile_verdicts(tw_compiler *c, const tw_tree *at, const char *text);
void tw_compile_detect(tw_compiler *c, const tw_tree *detect); /* whichever it is */

/* The table of `word { ... }`, or NULL with a finding. */
const tw_tree *tw_compile_word_table(tw_compiler *c, const tw_tree *word);
/* A role of that name; returns its number, or -1 with a finding: too many, or the name is taken by
 * another role or a key field. */
int tw_compile_role(tw_compiler *c, const tw_tree *at, const char *name, bool is_list,
                    uint64_t inputs);
/* A fact of that name; returns its number. */
uint32_t tw_compile_fact(tw_compiler *c, const char *name);
/* What it finds has no value that `when` of the incident could look at; `instead`: what to do. */
void tw_compile_no_when(tw_compiler *c, const char *instead);
/* The detector reads this slot of that input. */
void tw_compile_reads(tw_compiler *c, uint32_t input, uint32_t slot);
/* The same for what a matcher table of that input reads. */
void tw_compile_reads_match(tw_compiler *c, uint32_t input, const tw_match_table *match);
void tw_compile_enrich(tw_compiler *c, const tw_tree *enrich);
/* `context { ... }` of it; and whether ${path}, which begins with the name of that word, is a path of it. */
void tw_compile_context(tw_compiler *c, const tw_tree *word, tw_lookup *l);
int tw_compile_context_path(const tw_tree *word, const char *path, tw_err *err);
void tw_compile_alert(tw_compiler *c, const tw_tree *alert);
/* The options of `incident { ... }` that say when it ends and when it is told. */
void tw_compile_lifecycle(tw_compiler *c, const tw_tree *table);
void tw_compile_emit(tw_compiler *c, const tw_tree *emit);
/* plan_lineage.c: names, and what becomes of the rule's state when it is renamed. */
#define TW_MAX_RULE_NAME 128
bool tw_compile_is_rule_name(const tw_tree *v);
void tw_compile_was(tw_compiler *c, const tw_tree *was);
void tw_compile_park(tw_compiler *c, const tw_tree *park);
void tw_compile_migrate(tw_compiler *c, int fn); /* behind the detector */
void tw_compile_dedup(tw_compiler *c, const tw_tree *dedup);
/* A template of this rule; false with a finding. */
bool tw_compile_template(tw_compiler *c, const tw_tree *at, const char *text,
                         tw_template *out);
/* Warns of paths in it that are nearly another name. */
void tw_compile_check_text(tw_compiler *c, const tw_tree *at, const tw_template *text);
/* The place of a path among the kept fields, or -1 with err: too many. */
int tw_compile_kept(tw_compiler *c, const char *path, tw_err *err);
/* After the templates: the slots of what they, and functions that judge several events, read. */
void tw_compile_carried(tw_compiler *c);
int64_t tw_compile_longest_span(const tw_rule *rule);
void tw_compile_hashes(tw_compiler *c);
/* Of parts of a rule as they are written, with the values of their parameters. */
uint64_t tw_compile_identity(const tw_compiler *c, const char *name,
                             tw_tree *const *parts, uint32_t count, uint32_t but);

#endif
