#include "unit.h"

#include "proto/encoder.h"

static void sub_lines_have_subject_queue_and_sid(void **state)
{
    (void)state;
    nats__buf out = {0};
    assert_true(nats__encode_sub(&out, 1, BYTES("greet.*"), NULL, 0));
    assert_true(nats__encode_sub(&out, UINT64_MAX, BYTES(">"), BYTES("workers")));
    assert_bytes(out.data, out.len,
                 BYTES("SUB greet.* 1\r\nSUB > workers 18446744073709551615\r\n"));
    nats__buf_free(&out);
}

static void unsub_lines_have_a_maximum_only_when_there_is_one(void **state)
{
    (void)state;
    nats__buf out = {0};
    assert_true(nats__encode_unsub(&out, 7, 0));
    assert_true(nats__encode_unsub(&out, 8, 1000));
    assert_true(nats__encode_unsub(&out, UINT64_MAX, UINT64_MAX));
    assert_bytes(out.data, out.len,
                 BYTES("UNSUB 7\r\nUNSUB 8 1000\r\n"
                       "UNSUB 18446744073709551615 18446744073709551615\r\n"));
    nats__buf_free(&out);
}

static void ping_and_pong_are_bare(void **state)
{
    (void)state;
    nats__buf out = {0};
    assert_true(nats__encode_ping(&out));
    assert_true(nats__encode_pong(&out));
    assert_bytes(out.data, out.len, BYTES("PING\r\nPONG\r\n"));
    nats__buf_free(&out);
}

static void connect_carries_its_json_unchanged(void **state)
{
    (void)state;
    nats__buf out = {0};
    assert_true(nats__encode_connect(&out, "{\"verbose\":false}"));
    assert_bytes(out.data, out.len, BYTES("CONNECT {\"verbose\":false}\r\n"));
    nats__buf_free(&out);
}

static void a_line_that_finds_no_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    uint8_t bytes[64] = "before";
    nats__buf out = {bytes, 64, 64};
    /* With what is there already, more than an address space has. */
    assert_false(nats__encode_sub(&out, 1, "a", SIZE_MAX / 2 - 40, "b", SIZE_MAX / 2 - 40));
    assert_int_equal(out.len, 64);
    assert_string_equal((char *)bytes, "before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sub_lines_have_subject_queue_and_sid),
        cmocka_unit_test(unsub_lines_have_a_maximum_only_when_there_is_one),
        cmocka_unit_test(ping_and_pong_are_bare),
        cmocka_unit_test(connect_carries_its_json_unchanged),
        cmocka_unit_test(a_line_that_finds_no_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
