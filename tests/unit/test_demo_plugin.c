// SPDX-License-Identifier: Apache-2.0
/* Tests of plugins/demo: the story holds together, its events are whole, its page is served, its lines
 * can be read. What it produces goes through a real demo in tests/system/test_demo.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "demo/endpoint.c"
#include "demo/event.c"
#include "demo/story.c"
#include "demo/voice.c"
#include "fake_host.h"

/* endpoint.c needs these two of the shared settings, which plugins link. */
void *shared_alloc(size_t size)
{
    void *memory = calloc(1, size);
    assert_non_null(memory);
    return memory;
}

void *settings_refuse(tw_refusal *refusal, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(refusal->text, sizeof refusal->text, format, ap);
    va_end(ap);
    return NULL;
}

/* ---- the story --------------------------------------------------------------------- */

static void moments_come_in_the_order_of_time_and_within_the_story(void **state)
{
    (void)state;
    double before = 0;

    for (size_t i = 0; i < story_moment_count; i++) {
        assert_true(story_moments[i].at >= before);
        assert_true(story_moments[i].at < STORY_SECONDS);
        assert_true(story_moments[i].topic || story_moments[i].event.topic);
        before = story_moments[i].at;
    }
}

static void it_is_quiet_before_and_after_and_bad_between(void **state)
{
    (void)state;
    double quiet[] = {0, 2, 30, 60};

    for (size_t i = 0; i < COUNT(quiet); i++) {
        story_state s = story_at(quiet[i]);
        assert_true(s.queue < 20 && s.error_share < 0.02 && s.latency_s < 0.2);
    }
    story_state s = story_at(15);
    assert_true(s.queue > 100 && s.error_share > 0.05 && s.cpu > 90);
}

static void each_failed_allocation_is_followed_by_one_that_succeeds(void **state)
{
    (void)state;
    const char *last = NULL;

    for (size_t i = 0; i < story_moment_count; i++) {
        const demo_event *e = &story_moments[i].event;
        if (e->action && strcmp(e->action, "allocate") == 0)
            last = e->result;
    }
    assert_string_equal(last, "ok");
}

static void no_line_of_the_story_is_wider_than_a_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; i < story_moment_count; i++)
        assert_true(!story_moments[i].text ||
                    strlen(story_moments[i].text) <= 80 - TEXT_AT);
}

/* ---- events ------------------------------------------------------------------------ */

static void an_event_says_what_applies_and_nothing_else(void **state)
{
    (void)state;
    demo_event e = {.topic = "scaling_events",
                    .service = "cart",
                    .action = "scale_out",
                    .from = 3,
                    .to = 4,
                    .duration_ms = 12.34};
    char *text = demo_event_json(&e, 7, INT64_C(1732182005250));

    assert_string_equal(text,
                        "{\"time\":\"2024-11-21T09:40:05.250Z\",\"id\":\"demo-7\","
                        "\"service\":\"cart\",\"cluster\":\"shop-1\",\"region\":\"eu-1\","
                        "\"action\":\"scale_out\",\"from\":3,\"to\":4,"
                        "\"duration_ms\":12.3}");
    free(text);
}

/* ---- the page ---------------------------------------------------------------------- */

static size_t a_page(void *self, char *out, size_t room)
{
    (void)self;
    return (size_t)snprintf(out, room, "queue_depth 5\n");
}

static int call(uint16_t port, const char *request)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    return fd;
}

/* Turns the loop until the server has closed; the answer in out. */
static void hear(fake_host *f, int fd, char *out, size_t room)
{
    size_t size = 0;
    ssize_t n = -1;

    while (n != 0) {
        tw_loop_turn(f->loop, false);
        n = recv(fd, out + size, room - 1 - size, MSG_DONTWAIT);
        size += n > 0 ? (size_t)n : 0;
    }
    out[size] = '\0';
    close(fd);
}

static void the_page_is_served_to_one_caller_after_another(void **state)
{
    (void)state;
    fake_host f;
    tw_refusal refusal = {.size = sizeof refusal};
    char answer[1024];

    fake_host_init(&f, "stdout", "page", "{}");
    endpoint *e = endpoint_new(&f.host, 0, a_page, NULL, &refusal);
    assert_non_null(e);
    for (int i = 0; i < 2 * MAX_CONNECTIONS; i++) {
        hear(&f, call(endpoint_port(e), "GET /metrics HTTP/1.1\r\n\r\n"), answer,
             sizeof answer);
        assert_non_null(strstr(answer, "HTTP/1.1 200 OK\r\n"));
        assert_non_null(strstr(answer, "Content-Length: 14\r\n"));
        assert_string_equal(strstr(answer, "\r\n\r\n") + 4, "queue_depth 5\n");
    }
    endpoint_free(e);
    fake_host_done(&f);
}

static void a_port_that_is_taken_is_refused_with_its_number(void **state)
{
    (void)state;
    fake_host f;
    tw_refusal refusal = {.size = sizeof refusal};
    char port[16];

    fake_host_init(&f, "stdout", "page", "{}");
    endpoint *e = endpoint_new(&f.host, 0, a_page, NULL, &refusal);
    snprintf(port, sizeof port, ":%d", (int)endpoint_port(e));
    assert_null(endpoint_new(&f.host, endpoint_port(e), a_page, NULL, &refusal));
    assert_non_null(strstr(refusal.text, port));
    endpoint_free(e);
    fake_host_done(&f);
}

/* ---- the lines --------------------------------------------------------------------- */

static const char plain_json[] = "{\"values\":{\"value\":12.3456,\"count\":512}}";

static void lines_at(int width, const char *json, bool colours, bool resolved, char *out,
                     size_t room)
{
    tw_record r = fake_alert("id", "cart", resolved, "crit");
    FILE *file = tmpfile();
    voice v = {.out = file, .width = width, .colours = colours};

    voice_begin(1000);
    r.json = json;
    r.json_size = strlen(json);
    r.starts_at_ms = 1000;
    r.ends_at_ms = resolved ? 22000 : TW_NO_TIME;
    voice_happened(&v, 9000, "requests", "a campaign begins");
    voice_told(&v, 66000, &r);
    rewind(file);
    out[fread(out, 1, room - 1, file)] = '\0';
    fclose(file);
}

static void lines_of(bool colours, bool resolved, char *out, size_t room)
{
    lines_at(100, plain_json, colours, resolved, out, room);
}

static void an_alert_is_told_with_its_rule_its_key_and_its_values(void **state)
{
    (void)state;
    char text[1024];

    lines_of(false, false, text, sizeof text);
    assert_non_null(strstr(text, "  0:08  requests               a campaign begins\n"));
    assert_non_null(strstr(text, "  1:05  -> FIRING  crit  "));
    assert_non_null(strstr(text, "(service=cart zone=eu) value 12.3\n"));
    assert_null(strchr(text, '\033'));
}

static void a_resolve_says_how_long_it_lasted(void **state)
{
    (void)state;
    char text[1024];

    lines_of(false, true, text, sizeof text);
    assert_non_null(strstr(text, "  1:05  <- RESOLVED  "));
    assert_non_null(strstr(text, " after 21s\n"));
}

static void records_that_led_to_an_alert_are_named(void **state)
{
    (void)state;
    char text[1024];

    lines_at(100,
             "{\"evidence\":[{\"stream\":\"deploys\",\"partition\":1,\"offset\":7},"
             "{\"stream\":\"failures\",\"partition\":3,\"offset\":12},"
             "{\"stream\":\"failures\",\"partition\":0,\"offset\":4}]}",
             false, false, text, sizeof text);
    assert_non_null(strstr(text, "  evidence deploys 1:7, failures 3:12 0:4\n"));
}

static void what_a_rule_emitted_is_named_by_the_rule_and_what_led_to_it(void **state)
{
    (void)state;
    char text[1024];

    lines_at(100,
             "{\"evidence\":["
             "{\"stream\":\"found\",\"rule\":\"a/b\",\"time\":6000,\"origin\":"
             "{\"stream\":\"deploys\",\"partition\":1,\"offset\":7}},"
             "{\"stream\":\"found\",\"rule\":\"a/c\",\"time\":1},"
             "{\"stream\":\"failures\",\"partition\":3,\"offset\":12}]}",
             false, false, text, sizeof text);
    assert_non_null(strstr(
        text, "  evidence a/b at 0:05 (deploys 1:7), a/c at 0:00, failures 3:12\n"));
}

static void of_a_window_it_says_that_the_newest_record_is_named(void **state)
{
    (void)state;
    char text[1024];

    lines_at(100,
             "{\"values\":{\"value\":5,\"count\":12},"
             "\"evidence\":[{\"stream\":\"failures\",\"partition\":3,\"offset\":12}]}",
             false, false, text, sizeof text);
    assert_non_null(strstr(text, "  evidence failures 3:12, the newest of 12\n"));
}

static json_t *a_change(int time_ms, int offset, const char *version)
{
    return json_pack("{s:i, s:s, s:i, s:i, s:s}", "time", time_ms, "stream", "deploys",
                     "partition", 1, "offset", offset, "version", version);
}

static void what_changed_before_an_alert_is_told_but_for_its_evidence(void **state)
{
    (void)state;
    char text[2048];
    json_t *scaled =
        json_pack("{s:i, s:s, s:s, s:s, s:i, s:i}", "time", 6000, "stream", "scalings",
                  "action", "out", "result", "ok", "from", 4, "to", 9);
    json_t *record = json_pack("{s:[o], s:[o, o, o, o, o, o]}", "evidence",
                               a_change(1, 7, "e"), "changes", a_change(2000, 3, "v1"),
                               scaled, a_change(7000, 4, "v8"), a_change(8000, 5, "v8"),
                               a_change(8000, 6, "v9"), a_change(9000, 7, "e"));
    char *json = json_dumps(record, 0);

    lines_at(120, json, false, false, text, sizeof text);
    assert_non_null(strstr(text,
                           "  changed 0:05 scalings out ok 4 -> 9, 0:06 deploys v8 (2 "
                           "times), 0:07 deploys v9; 1 more"));
    free(json);
    json_decref(record);
}

static void a_group_names_what_its_members_do_not_share(void **state)
{
    (void)state;
    char text[1024];

    lines_at(100,
             "{\"labels\":{\"cluster\":\"eu\"},\"group\":{\"firing\":["
             "{\"labels\":{\"cluster\":\"eu\",\"pod\":\"a\"}},"
             "{\"labels\":{\"cluster\":\"eu\",\"pod\":\"b\"}}]}}",
             false, false, text, sizeof text);
    assert_non_null(strstr(text, "  one page instead of 2: a b\n"));
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    char text[2048];

    lines_at(60, plain_json, false, false, text, sizeof text);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 60);
}

static void colours_are_there_when_asked_for(void **state)
{
    (void)state;
    char text[1024];

    lines_of(true, false, text, sizeof text);
    assert_non_null(strstr(text, "\033[1;31m-> FIRING"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_come_in_the_order_of_time_and_within_the_story),
        cmocka_unit_test(it_is_quiet_before_and_after_and_bad_between),
        cmocka_unit_test(each_failed_allocation_is_followed_by_one_that_succeeds),
        cmocka_unit_test(no_line_of_the_story_is_wider_than_a_terminal),
        cmocka_unit_test(an_event_says_what_applies_and_nothing_else),
        cmocka_unit_test(the_page_is_served_to_one_caller_after_another),
        cmocka_unit_test(a_port_that_is_taken_is_refused_with_its_number),
        cmocka_unit_test(an_alert_is_told_with_its_rule_its_key_and_its_values),
        cmocka_unit_test(a_resolve_says_how_long_it_lasted),
        cmocka_unit_test(records_that_led_to_an_alert_are_named),
        cmocka_unit_test(what_a_rule_emitted_is_named_by_the_rule_and_what_led_to_it),
        cmocka_unit_test(of_a_window_it_says_that_the_newest_record_is_named),
        cmocka_unit_test(what_changed_before_an_alert_is_told_but_for_its_evidence),
        cmocka_unit_test(a_group_names_what_its_members_do_not_share),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(colours_are_there_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
