#include "unit.h"

#include "base/buf.h"
#include "base/decimal.h"
#include "base/wipe.h"

static void appended_bytes_come_out_in_order(void **state)
{
    (void)state;
    nats__buf buf = {0};
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t byte = (uint8_t)(i * 7);
        assert_true(nats__buf_append(&buf, &byte, 1));
    }
    assert_int_equal(buf.len, 100000);
    for (unsigned i = 0; i < 100000; i++) {
        assert_int_equal(buf.data[i], (uint8_t)(i * 7));
    }
    nats__buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.cap, 0);
}

static void growing_costs_few_moves(void **state)
{
    (void)state;
    nats__buf buf = {0};
    size_t moves = 0;
    for (unsigned i = 0; i < 1000000; i++) {
        size_t cap = buf.cap;
        assert_true(nats__buf_append(&buf, "x", 1));
        moves += cap != buf.cap;
    }
    assert_in_range(moves, 1, 20);
    nats__buf_free(&buf);
}

static void a_reserve_that_overflows_changes_nothing(void **state)
{
    (void)state;
    nats__buf buf = {0};
    assert_true(nats__buf_append_text(&buf, "abc"));
    nats__buf before = buf;
    assert_false(nats__buf_reserve(&buf, SIZE_MAX));
    assert_false(nats__buf_reserve(&buf, SIZE_MAX - 2));
    assert_memory_equal(&buf, &before, sizeof buf);
    nats__buf_free(&buf);
}

static void reserved_room_is_there_without_moving(void **state)
{
    (void)state;
    nats__buf buf = {0};
    assert_true(nats__buf_reserve(&buf, 1000));
    uint8_t *data = buf.data;
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(nats__buf_append(&buf, "x", 1));
    }
    assert_ptr_equal(buf.data, data);
    nats__buf_free(&buf);
}

static void nothing_can_be_appended_to_nothing(void **state)
{
    (void)state;
    nats__buf buf = {0};
    assert_true(nats__buf_append(&buf, NULL, 0));
    assert_true(nats__buf_append_text(&buf, ""));
    nats__buf_consume(&buf, 0);
    assert_int_equal(buf.len, 0);
    assert_null(buf.data);
}

static void consume_drops_from_the_front(void **state)
{
    (void)state;
    nats__buf buf = {0};
    assert_true(nats__buf_append_text(&buf, "abcdef"));
    nats__buf_consume(&buf, 2);
    assert_bytes(buf.data, buf.len, BYTES("cdef"));
    nats__buf_consume(&buf, 4);
    assert_int_equal(buf.len, 0);
    assert_true(nats__buf_append_text(&buf, "xy"));
    assert_bytes(buf.data, buf.len, BYTES("xy"));
    nats__buf_free(&buf);
}

static void swap_exchanges_contents(void **state)
{
    (void)state;
    nats__buf a = {0};
    nats__buf b = {0};
    assert_true(nats__buf_append_text(&a, "left"));
    nats__buf_swap(&a, &b);
    assert_int_equal(a.len, 0);
    assert_bytes(b.data, b.len, BYTES("left"));
    nats__buf_free(&a);
    nats__buf_free(&b);
}

static void shrink_frees_only_what_is_empty_and_large(void **state)
{
    (void)state;
    nats__buf buf = {0};
    assert_true(nats__buf_reserve(&buf, 10000));
    assert_true(nats__buf_append_text(&buf, "x"));
    nats__buf_shrink(&buf, 100);
    assert_true(buf.cap >= 10000);
    nats__buf_consume(&buf, 1);
    nats__buf_shrink(&buf, 1 << 20);
    assert_true(buf.cap >= 10000);
    nats__buf_shrink(&buf, 100);
    assert_int_equal(buf.cap, 0);
    assert_null(buf.data);
}

static void decimals_are_written_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {9, "9"},
        {10, "10"},
        {99, "99"},
        {100, "100"},
        {101, "101"},
        {999, "999"},
        {1000, "1000"},
        {65535, "65535"},
        {1000000007, "1000000007"},
        {UINT64_C(9999999999999999999), "9999999999999999999"},
        {UINT64_C(10000000000000000000), "10000000000000000000"},
        {UINT64_MAX, "18446744073709551615"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char out[NATS__DECIMAL_MAX + 1];
        memset(out, '#', sizeof out);
        size_t len = nats__decimal_write(out, cases[i].value);
        assert_bytes(out, len, cases[i].text, strlen(cases[i].text));
        assert_int_equal(out[len], '#');
    }
}

static void every_power_of_two_reads_back(void **state)
{
    (void)state;
    for (int bit = 0; bit < 64; bit++) {
        for (int off = -1; off <= 1; off++) {
            uint64_t value = (UINT64_C(1) << bit) + (uint64_t)off;
            char out[NATS__DECIMAL_MAX + 1];
            out[nats__decimal_write(out, value)] = '\0';
            assert_true(strtoull(out, NULL, 10) == value);
        }
    }
}

static void wipe_leaves_zeros(void **state)
{
    (void)state;
    char secret[16] = "hunter2 hunter2";
    const char zeros[16] = {0};
    nats__wipe(secret, sizeof secret);
    assert_memory_equal(secret, zeros, sizeof secret);
    nats__wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_bytes_come_out_in_order),
        cmocka_unit_test(growing_costs_few_moves),
        cmocka_unit_test(a_reserve_that_overflows_changes_nothing),
        cmocka_unit_test(reserved_room_is_there_without_moving),
        cmocka_unit_test(nothing_can_be_appended_to_nothing),
        cmocka_unit_test(consume_drops_from_the_front),
        cmocka_unit_test(swap_exchanges_contents),
        cmocka_unit_test(shrink_frees_only_what_is_empty_and_large),
        cmocka_unit_test(decimals_are_written_as_people_write_them),
        cmocka_unit_test(every_power_of_two_reads_back),
        cmocka_unit_test(wipe_leaves_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
