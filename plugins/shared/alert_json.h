// SPDX-License-Identifier: Apache-2.0
/* Alerts as Alertmanager writes them: labels are all text and name the alert, and their
 * fingerprint is the one Alertmanager computes. Any thread. */
#ifndef TW_SHARED_ALERT_JSON_H
#define TW_SHARED_ALERT_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "tidewatch.h"

#define ALERT_TIME_SIZE 32

/* The record's labels with alertname (the rule), severity (the level) and incident where
 * they are not there already. Names are made to fit [a-zA-Z_][a-zA-Z0-9_]* unless utf8;
 * empty values are left out. New reference, sorted by name. */
json_t *alert_labels(const tw_record *r, bool utf8);
/* The record's, with `summary` (the title) and `description` (the body, or else the reason), which is
 * where receivers of Alertmanager's form look. New reference. */
json_t *alert_annotations(const tw_record *r);
/* 16 hex digits: FNV-1a over the sorted labels, each name and value ended by 0xff. */
void alert_fingerprint(const json_t *labels, char out[17]);
/* RFC 3339 in UTC with milliseconds; the year 1 for TW_NO_TIME. Returns out. */
const char *alert_time(int64_t ms, char out[ALERT_TIME_SIZE]);
/* Where to read on: external_url/incidents/ID, or "" without external_url. free() it. */
char *alert_generator_url(const char *external_url, const char *incident);

#endif
