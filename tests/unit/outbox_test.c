/* The outbox: frames in, pieces out, and what becomes of them when the connection is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/outbox.h"

static void publish(nats__outbox *box, const char *subject, const char *data)
{
    nats__frame frame = {.subject = subject,
                         .subject_len = strlen(subject),
                         .data = data,
                         .data_len = strlen(data)};
    assert_true(nats__outbox_publish(box, &frame));
}

/* Write up to max bytes and append them to out. */
static void write_some(nats__outbox *box, size_t max, char *out)
{
    while (max > 0 && nats__outbox_take(box)) {
        size_t n = box->drain.len - box->drained;
        n = n < max ? n : max;
        strncat(out, (const char *)box->drain.data + box->drained, n);
        nats__outbox_wrote(box, n);
        max -= n;
    }
}

static void frames_carry_reply_and_headers(void **state)
{
    (void)state;
    nats__outbox box = {.open = true};
    nats__frame frame = {.subject = "a.b", .subject_len = 3, .reply = "r", .reply_len = 1,
                         .headers = (const uint8_t *)"NATS/1.0\r\nA: b\r\n\r\n",
                         .headers_len = 18, .data = "xyz", .data_len = 3};
    char out[256] = "";

    assert_true(nats__outbox_publish(&box, &frame));
    publish(&box, "c", "");
    write_some(&box, SIZE_MAX, out);

    assert_string_equal(out, "HPUB a.b r 18 21\r\nNATS/1.0\r\nA: b\r\n\r\nxyz\r\nPUB c 0\r\n\r\n");
    assert_int_equal(box.accepted, 2);
    nats__outbox_free(&box);
}

static void ask(nats__outbox *box, const char *reply, bool headers)
{
    nats__frame frame = {.subject = "q", .subject_len = 1, .reply = reply,
                         .reply_len = strlen(reply), .data = "?", .data_len = 1};
    if (headers) {
        frame.headers = (const uint8_t *)"NATS/1.0\r\n\r\n";
        frame.headers_len = 12;
    }
    assert_true(nats__outbox_publish(box, &frame));
}

/* Who asked below the inbox was told that the connection is lost: it is not asked after all. */
static void unsent_requests_are_lost(void **state)
{
    (void)state;
    nats__outbox box = {.open = true};
    char out[256] = "";
    uint64_t lost;
    uint64_t unconfirmed;
    ask(&box, "I.a.1", false);
    ask(&box, "I.a.2", true);
    ask(&box, "I.b.3", false);
    ask(&box, "I.a", false);
    publish(&box, "I.a.", "I.a.");
    publish(&box, "x", "");
    write_some(&box, 1, out);
    ask(&box, "I.a.4", true);
    publish(&box, "y", "");

    /* Room for what is kept and no more: requests take none of it. */
    nats__outbox_lost(&box, 74, "I.a.", 4, &lost, &unconfirmed);
    assert_int_equal(lost, 3);
    assert_int_equal(unconfirmed, 0);
    out[0] = '\0';
    box.open = true;
    write_some(&box, SIZE_MAX, out);
    assert_string_equal(out, "PUB q I.b.3 1\r\n?\r\nPUB q I.a 1\r\n?\r\n"
                             "PUB I.a. 4\r\nI.a.\r\nPUB x 0\r\n\r\nPUB y 0\r\n\r\n");
    nats__outbox_free(&box);
}

static void a_closed_gate_lets_only_urgent_lines_pass(void **state)
{
    (void)state;
    nats__outbox box = {0};
    char out[256] = "";
    publish(&box, "a", "1");
    assert_true(nats__outbox_control(&box, "CONNECT {}\r\n", 12));

    write_some(&box, SIZE_MAX, out);
    assert_string_equal(out, "CONNECT {}\r\n");

    assert_true(nats__outbox_control(&box, "SUB a 1\r\n", 9));
    box.open = true;
    assert_true(nats__outbox_control(&box, "PING\r\n", 6));
    write_some(&box, SIZE_MAX, out);
    assert_string_equal(out, "CONNECT {}\r\nSUB a 1\r\nPUB a 1\r\n1\r\nPING\r\n");
    nats__outbox_free(&box);
}

static void keeps_whole_publishes_and_counts_the_cut_one(void **state)
{
    (void)state;
    nats__outbox box = {.open = true};
    char out[256] = "";
    uint64_t lost;
    uint64_t unconfirmed;
    publish(&box, "a", "1"); /* written whole: 12 bytes */
    publish(&box, "b", "2"); /* cut in the middle */
    publish(&box, "c", "3");
    assert_true(nats__outbox_control(&box, "SUB x 1\r\n", 9));
    write_some(&box, 15, out);
    publish(&box, "d", "4");

    nats__outbox_lost(&box, 1000, NULL, 0, &lost, &unconfirmed);

    assert_int_equal(lost, 1);
    assert_int_equal(unconfirmed, 1);
    box.open = true;
    out[0] = '\0';
    write_some(&box, SIZE_MAX, out);
    assert_string_equal(out, "PUB c 1\r\n3\r\nPUB d 1\r\n4\r\n");
    nats__outbox_free(&box);
}

/* Memory may be short, and what waits much: an attempt that fails leaves it where it is. */
static void a_failed_attempt_does_not_touch_what_waits(void **state)
{
    (void)state;
    nats__outbox box = {0};
    char out[256] = "";
    uint64_t lost = 7;
    uint64_t unconfirmed = 7;
    publish(&box, "a", "1");
    publish(&box, "b", "2");
    const uint8_t *where = box.fill.data;
    assert_true(nats__outbox_control(&box, "CONNECT {}\r\n", 12));
    write_some(&box, 5, out);
    assert_true(nats__outbox_control(&box, "PING\r\n", 6));

    nats__outbox_lost(&box, 1000, NULL, 0, &lost, &unconfirmed);

    assert_ptr_equal(box.fill.data, where);
    assert_int_equal(lost, 0);
    assert_int_equal(unconfirmed, 0);
    assert_int_equal(box.resolved, 0);
    box.open = true;
    out[0] = '\0';
    write_some(&box, SIZE_MAX, out);
    assert_string_equal(out, "PUB a 1\r\n1\r\nPUB b 1\r\n2\r\n");
    nats__outbox_free(&box);
}

static void a_pong_settles_what_went_before_its_ping(void **state)
{
    (void)state;
    nats__outbox box = {.open = true};
    char out[256] = "";
    uint64_t lost;
    uint64_t unconfirmed;
    publish(&box, "a", "1");
    publish(&box, "b", "2");
    uint64_t mark = box.accepted;
    publish(&box, "c", "3");
    write_some(&box, SIZE_MAX, out);
    nats__outbox_confirm(&box, mark);

    nats__outbox_lost(&box, 1000, NULL, 0, &lost, &unconfirmed);

    assert_int_equal(lost, 0);
    assert_int_equal(unconfirmed, 1);
    nats__outbox_lost(&box, 1000, NULL, 0, &lost, &unconfirmed);
    assert_int_equal(unconfirmed, 0);
    nats__outbox_free(&box);
}

/* accepted = confirmed + unconfirmed + lost + kept, at every place the writing may stop. */
static void every_publish_is_accounted_for(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 60; cut++) {
        for (size_t keep = 0; keep <= 60; keep += 12) {
            nats__outbox box = {.open = true};
            char out[256] = "";
            uint64_t lost;
            uint64_t unconfirmed;
            for (int i = 0; i < 5; i++) {
                publish(&box, "a", "1");
            }
            write_some(&box, cut, out);
            nats__outbox_lost(&box, keep, NULL, 0, &lost, &unconfirmed);

            uint64_t kept = box.fill.len / 12;
            uint64_t waiting = 5 - (cut + 11) / 12;
            assert_int_equal(unconfirmed, cut / 12);
            assert_int_equal(kept, waiting < keep / 12 ? waiting : keep / 12);
            assert_int_equal(lost + unconfirmed + kept, 5);
            assert_int_equal(box.resolved + kept, box.accepted);
            nats__outbox_free(&box);
        }
    }
}

/* A PONG that comes after the drop, for a PING that was sent before it or between: each publish is
 * confirmed, lost or unconfirmed, and none is two of them. */
static void dropped_ones_are_settled_once(void **state)
{
    (void)state;
    static const struct {
        uint64_t marks[2];
        uint64_t unconfirmed;
    } rows[] = {{{0, 0}, 5}, {{5, 0}, 0}, {{5, 7}, 0}, {{5, 10}, 0}, {{3, 0}, 2}};
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        nats__outbox box = {.open = true};
        char out[1024] = "";
        uint64_t lost;
        uint64_t unconfirmed;
        for (int i = 0; i < 5; i++) {
            publish(&box, "small", "x");
        }
        write_some(&box, SIZE_MAX, out);
        for (int i = 0; i < 5; i++) { /* numbers 7 and 9 are too large */
            publish(&box, "late", i % 2 == 1 ? "too large" : "x");
        }
        nats__askers none = {.inbox = NULL};
        assert_int_equal(nats__outbox_limit(&box, 5, true, &none), 2);
        for (size_t i = 0; i < 2; i++) {
            nats__outbox_confirm(&box, rows[row].marks[i]);
        }
        nats__outbox_lost(&box, 0, NULL, 0, &lost, &unconfirmed);
        assert_int_equal(lost, 3);
        assert_int_equal(unconfirmed, rows[row].unconfirmed);
        assert_int_equal(box.resolved, box.accepted);
        nats__outbox_free(&box);
    }
}

/* Who asked for what is not sent after all, by why. */
static void dropped_requests_are_named(void **state)
{
    (void)state;
    nats__outbox box = {0};
    nats__askers askers = {.inbox = "I.a.", .inbox_len = 4};
    ask(&box, "I.a.1", false);
    ask(&box, "I.a.2", true);
    ask(&box, "I.b.3", true);
    publish(&box, "I.a.", "I.a. 9");
    ask(&box, "I.a.4", true);
    assert_int_equal(nats__outbox_limit(&box, 13, false, &askers), 3);
    assert_int_equal(askers.large.len, 0);
    assert_int_equal(askers.headed.len, 12);
    assert_memory_equal(askers.headed.data, "I.a.2\0I.a.4", 12);
    nats__buf_free(&askers.headed);

    assert_int_equal(nats__outbox_limit(&box, 0, false, &askers), 2);
    assert_int_equal(askers.large.len, 6);
    assert_memory_equal(askers.large.data, "I.a.1", 6);
    nats__buf_free(&askers.large);
    nats__outbox_free(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_carry_reply_and_headers),
        cmocka_unit_test(unsent_requests_are_lost),
        cmocka_unit_test(a_closed_gate_lets_only_urgent_lines_pass),
        cmocka_unit_test(keeps_whole_publishes_and_counts_the_cut_one),
        cmocka_unit_test(a_failed_attempt_does_not_touch_what_waits),
        cmocka_unit_test(a_pong_settles_what_went_before_its_ping),
        cmocka_unit_test(dropped_ones_are_settled_once),
        cmocka_unit_test(dropped_requests_are_named),
        cmocka_unit_test(every_publish_is_accounted_for),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
