// SPDX-License-Identifier: Apache-2.0
/* The look-up tables of a command that runs rules by itself: those of a configuration, and NAME=FILE of
 * the command line, which come first. Main thread. */
#ifndef TW_CLI_TABLES_H
#define TW_CLI_TABLES_H

#include "alert/incident.h"
#include "config.h"
#include "flow/table_view.h"

enum { TW_CLI_MAX_TABLES = 64 };

typedef struct tw_cli_tables tw_cli_tables;

/* config may be NULL. NULL with err for a broken argument or file. */
tw_cli_tables *tw_cli_tables_open(const tw_config *config, const char *const *given,
                                  size_t given_count, tw_err *err);
void tw_cli_tables_free(tw_cli_tables *t);
/* NULL-terminated, as rules are held against; NULL when there are neither a configuration nor tables:
 * then rules may name any. */
const char *const *tw_cli_tables_names(const tw_cli_tables *t);
/* By name: whether the table keeps history. NULL as names. */
const bool *tw_cli_tables_history(const tw_cli_tables *t);
/* By name: its columns. NULL as names. */
const tw_declared *const *tw_cli_tables_columns(const tw_cli_tables *t);
bool tw_cli_tables_have(const tw_cli_tables *t, const char *name);
tw_lookup_port tw_cli_tables_port(tw_cli_tables *t);
/* The same for lanes; a reference. */
tw_table_view *tw_cli_tables_view(const tw_cli_tables *t);

#endif
