// SPDX-License-Identifier: Apache-2.0
/* Tests of sink/record: what a notification and a dead letter look like to a sink. */
#include "sink/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static tw_notification *notification(void)
{
    tw_notification *n = tw_notification_new();
    n->at_ms = 1732182000000;
    n->level = TW_LEVEL_CRIT;
    n->rule = tw_strdup("team/errors");
    n->version = tw_strdup("1");
    n->incident = tw_strdup("errors:cart");
    n->route = tw_strdup("people");
    n->title = tw_strdup("cart fails");
    n->body = tw_strdup("");
    n->id = tw_strdup("firing-id");
    n->episode_id = tw_strdup("message-id");
    n->starts_at_ms = 1732181990000;
    n->labels = json_pack("{s:s, s:s, s:i}", "zone", "eu", "service", "cart", "lane", 4);
    n->values = json_pack("{s:i}", "count", 30);
    n->evidence = json_array();
    return n;
}

static void a_record_outlives_the_notification_it_was_made_of(void **state)
{
    (void)state;
    tw_notification *n = notification();
    tw_parcel *p = tw_parcel_from_notification(n);
    const tw_record *r = &p->record;

    tw_notification_unref(n);
    assert_int_equal(r->kind, TW_RECORD_ALERT);
    assert_string_equal(r->id, "message-id");
    assert_string_equal(r->key, "errors:cart");
    assert_string_equal(r->status, "firing");
    assert_string_equal(r->level, "crit");
    assert_string_equal(r->title, "cart fails");
    assert_string_equal(r->body, "");
    assert_true(r->ends_at_ms == TW_NO_TIME);
    json_t *object = json_loadb(r->json, r->json_size, JSON_ALLOW_NUL, NULL);
    assert_string_equal(json_string_value(json_object_get(object, "id")), "message-id");
    assert_true(json_is_null(json_object_get(object, "ends_at")));
    json_decref(object);
    tw_parcel_unref(p);
}

static void labels_are_text_and_sorted_by_name(void **state)
{
    (void)state;
    tw_notification *n = notification();
    tw_parcel *p = tw_parcel_from_notification(n);

    assert_int_equal(p->record.label_count, 3);
    assert_string_equal(p->record.labels[0].name, "lane");
    assert_string_equal(p->record.labels[0].value, "4");
    assert_string_equal(p->record.labels[1].name, "service");
    assert_string_equal(p->record.labels[2].name, "zone");
    tw_parcel_unref(p);
    tw_notification_unref(n);
}

static void the_newest_changes_are_lines_of_an_annotation(void **state)
{
    (void)state;
    tw_notification *n = notification();
    n->at_ms = 1732182000000;
    n->changes = json_array();
    for (int i = 0; i < 5; i++)
        json_array_append_new(n->changes,
                              json_pack("{s:I, s:s, s:i, s:s, s:i}", "time",
                                        (json_int_t)(1732181700000 + i * 60000), "stream",
                                        "deploys", "offset", i, "kind", "a\nb", "n", i));
    tw_parcel *p = tw_parcel_from_notification(n);

    tw_notification_unref(n);
    assert_int_equal(p->record.annotation_count, 3);
    assert_string_equal(p->record.annotations[2].name, "changes");
    assert_string_equal(p->record.annotations[2].value,
                        "1m before: deploys kind=a b n=4\n"
                        "2m before: deploys kind=a b n=3\n"
                        "3m before: deploys kind=a b n=2");
    tw_parcel_unref(p);
}

static void annotations_leave_out_what_is_empty(void **state)
{
    (void)state;
    tw_notification *n = notification();
    tw_parcel *p = tw_parcel_from_notification(n);

    assert_int_equal(p->record.annotation_count, 2);
    assert_string_equal(p->record.annotations[0].name, "title");
    assert_string_equal(p->record.annotations[1].name, "values");
    assert_string_equal(p->record.annotations[1].value, "{\"count\":30}");
    tw_parcel_unref(p);
    tw_notification_unref(n);
}

static void a_resolve_has_an_end(void **state)
{
    (void)state;
    tw_notification *n = notification();
    n->resolved = true;
    n->ends_at_ms = 1732182000000;
    tw_parcel *p = tw_parcel_from_notification(n);

    assert_string_equal(p->record.status, "resolved");
    assert_int_equal(p->record.ends_at_ms, 1732182000000);
    tw_parcel_unref(p);
    tw_notification_unref(n);
}

static const char *header(const tw_record *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    }
    return NULL;
}

static tw_dead_letter dead_letter(const char *data, size_t n)
{
    return (tw_dead_letter){.stream = "requests",
                            .topic = "requests.v1",
                            .stage = "decode",
                            .reason = "no JSON",
                            .partition = 3,
                            .offset = 77,
                            .first_seen_ms = 1732182000000,
                            .key = "k\0k",
                            .key_size = 3,
                            .data = data,
                            .data_size = n,
                            .attempts = 1};
}

static void a_dead_letter_keeps_the_bytes_and_says_where_from(void **state)
{
    (void)state;
    tw_dead_letter d = dead_letter("{\"a\": ", 6);
    tw_parcel *p = tw_parcel_from_dead_letter(&d);
    const tw_record *r = &p->record;

    assert_int_equal(r->kind, TW_RECORD_DEAD_LETTER);
    assert_memory_equal(r->data, "{\"a\": ", 6);
    assert_string_equal(header(r, "tw_dlq_topic"), "requests.v1");
    assert_string_equal(header(r, "tw_dlq_partition"), "3");
    assert_string_equal(header(r, "tw_dlq_offset"), "77");
    assert_string_equal(header(r, "tw_dlq_stage"), "decode");
    assert_string_equal(header(r, "tw_dlq_error"), "no JSON");
    assert_string_equal(header(r, "tw_dlq_first_seen"), "1732182000000");
    json_t *object = json_loadb(r->json, r->json_size, JSON_ALLOW_NUL, NULL);
    assert_string_equal(json_string_value(json_object_get(object, "data")), "{\"a\": ");
    json_decref(object);
    tw_parcel_unref(p);
}

static void bytes_that_are_no_text_are_written_as_base64(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *text;
    } cases[] = {{"\xff", 1, "/w=="},
                 {"\xff\xfe", 2, "//4="},
                 {"\xff\xfe\x00", 3, "//4A"},
                 {"\xff\xfe\x00\x01", 4, "//4AAQ=="}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tw_dead_letter d = dead_letter(cases[i].bytes, cases[i].n);
        tw_parcel *p = tw_parcel_from_dead_letter(&d);
        json_t *object =
            json_loadb(p->record.json, p->record.json_size, JSON_ALLOW_NUL, NULL);
        assert_null(json_object_get(object, "data"));
        assert_string_equal(json_string_value(json_object_get(object, "data_base64")),
                            cases[i].text);
        json_decref(object);
        tw_parcel_unref(p);
    }
}

static void a_dead_letter_without_bytes_is_a_tombstone(void **state)
{
    (void)state;
    tw_dead_letter d = dead_letter(NULL, 0);
    tw_parcel *p = tw_parcel_from_dead_letter(&d);

    assert_null(p->record.data);
    assert_non_null(strstr(p->record.json, "\"data\":null"));
    tw_parcel_unref(p);
}

static void the_same_dead_letter_has_the_same_id(void **state)
{
    (void)state;
    tw_dead_letter d = dead_letter("x", 1);
    tw_parcel *a = tw_parcel_from_dead_letter(&d);
    tw_parcel *b = tw_parcel_from_dead_letter(&d);
    d.offset++;
    tw_parcel *c = tw_parcel_from_dead_letter(&d);

    assert_string_equal(a->record.id, b->record.id);
    assert_string_not_equal(a->record.id, c->record.id);
    tw_parcel_unref(a);
    tw_parcel_unref(b);
    tw_parcel_unref(c);
}

static void a_parcel_lives_until_the_last_reference_is_gone(void **state)
{
    (void)state;
    tw_dead_letter d = dead_letter("x", 1);
    tw_parcel *p = tw_parcel_ref(tw_parcel_from_dead_letter(&d));

    tw_parcel_unref(p);
    assert_string_equal(p->record.stream, "requests");
    tw_parcel_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_outlives_the_notification_it_was_made_of),
        cmocka_unit_test(labels_are_text_and_sorted_by_name),
        cmocka_unit_test(the_newest_changes_are_lines_of_an_annotation),
        cmocka_unit_test(annotations_leave_out_what_is_empty),
        cmocka_unit_test(a_resolve_has_an_end),
        cmocka_unit_test(a_dead_letter_keeps_the_bytes_and_says_where_from),
        cmocka_unit_test(bytes_that_are_no_text_are_written_as_base64),
        cmocka_unit_test(a_dead_letter_without_bytes_is_a_tombstone),
        cmocka_unit_test(the_same_dead_letter_has_the_same_id),
        cmocka_unit_test(a_parcel_lives_until_the_last_reference_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
