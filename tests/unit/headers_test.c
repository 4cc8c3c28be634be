#include "unit.h"

#include <stdio.h>

#include "proto/headers.h"

/* ---- building ---- */

static nats_headers *new_headers(void)
{
    nats_headers *headers;
    assert_int_equal(nats_headers_new(&headers), NATS_OK);
    return headers;
}

static void an_empty_object_has_no_block(void **state)
{
    (void)state;
    nats_headers *headers = new_headers();
    assert_int_equal(nats_headers_count(headers), 0);
    assert_int_equal(headers->block.len, 0);
    nats_headers_free(headers);
}

static void the_block_is_ready_for_the_wire_after_each_pair(void **state)
{
    (void)state;
    nats_headers *headers = new_headers();
    assert_int_equal(nats_headers_add(headers, "Lang", NATS_Z, "en", NATS_Z), NATS_OK);
    assert_bytes(headers->block.data, headers->block.len, BYTES("NATS/1.0\r\nLang: en\r\n\r\n"));
    assert_int_equal(nats_headers_add(headers, BYTES("Lang"), BYTES("fr")), NATS_OK);
    assert_int_equal(nats_headers_add(headers, BYTES("lang"), BYTES("")), NATS_OK);
    assert_bytes(headers->block.data, headers->block.len,
                 BYTES("NATS/1.0\r\nLang: en\r\nLang: fr\r\nlang: \r\n\r\n"));
    assert_int_equal(nats_headers_count(headers), 3);
    nats_headers_free(headers);
}

static void clearing_keeps_nothing_but_the_memory(void **state)
{
    (void)state;
    nats_headers *headers = new_headers();
    assert_int_equal(nats_headers_add(headers, BYTES("A"), BYTES("1")), NATS_OK);
    size_t cap = headers->block.cap;
    nats_headers_clear(headers);
    assert_int_equal(nats_headers_count(headers), 0);
    assert_int_equal(headers->block.len, 0);
    assert_int_equal(headers->block.cap, cap);
    assert_int_equal(nats_headers_add(headers, BYTES("B"), BYTES("2")), NATS_OK);
    assert_bytes(headers->block.data, headers->block.len, BYTES("NATS/1.0\r\nB: 2\r\n\r\n"));
    nats_headers_free(headers);
}

static void bad_pairs_are_refused_by_part_and_place(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t key_len;
        const char *value;
        size_t value_len;
        const char *error;
    } cases[] = {
        {BYTES(""), BYTES("v"), "header key: is empty"},
        {BYTES("my key"), BYTES("v"), "header key: byte 2 (0x20) is a blank"},
        {BYTES("key:"), BYTES("v"), "header key: byte 3 (0x3a) is a colon"},
        {BYTES("\tkey"), BYTES("v"), "header key: byte 0 (0x09) is a control character"},
        {BYTES("k\r\nX"), BYTES("v"), "header key: byte 1 (0x0d) is a control character"},
        {BYTES("k\nX"), BYTES("v"), "header key: byte 1 (0x0a) is a control character"},
        {BYTES("k\0"), BYTES("v"), "header key: byte 1 (0x00) is a control character"},
        {BYTES("k\x7f"), BYTES("v"), "header key: byte 1 (0x7f) is a control character"},
        {BYTES("caf\xc3\xa9"), BYTES("v"), "header key: byte 3 (0xc3) is not ASCII"},
        {BYTES("k"), BYTES("a\rb"), "header value: byte 1 (0x0d) is a carriage return"},
        {BYTES("k"), BYTES("ab\n"), "header value: byte 2 (0x0a) is a line feed"},
        {BYTES("k"), BYTES("\r\nEvil: 1"), "header value: byte 0 (0x0d) is a carriage return"},
        {BYTES("k"), BYTES("abc\0"), "header value: byte 3 (0x00) is a NUL"},
    };
    nats_headers *headers = new_headers();
    assert_int_equal(nats_headers_add(headers, BYTES("Good"), BYTES("1")), NATS_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        nats_status status = nats_headers_add(headers, cases[i].key, cases[i].key_len,
                                              cases[i].value, cases[i].value_len);
        assert_failed(status, NATS_ERR_INVALID, cases[i].error);
        assert_bytes(headers->block.data, headers->block.len,
                     BYTES("NATS/1.0\r\nGood: 1\r\n\r\n"));
        assert_int_equal(nats_headers_count(headers), 1);
    }
    nats_headers_free(headers);
}

static void a_block_over_the_largest_message_is_refused(void **state)
{
    (void)state;
    nats_headers *headers = new_headers();
    size_t half = NATS__HEADERS_MAX / 2;
    char *value = malloc(half);
    assert_non_null(value);
    memset(value, 'v', half);
    assert_int_equal(nats_headers_add(headers, BYTES("k"), value, half), NATS_OK);
    size_t len = headers->block.len;
    assert_int_equal(nats_headers_add(headers, BYTES("k"), value, half), NATS_ERR_LIMIT);
    assert_int_equal(nats_last_status(), NATS_ERR_LIMIT);
    assert_int_equal(headers->block.len, len);
    /* Lengths that would overflow their sum are refused before a byte is looked at. */
    assert_int_equal(nats_headers_add(headers, "k", 1, "v", SIZE_MAX - 1), NATS_ERR_LIMIT);
    assert_int_equal(nats_headers_add(headers, "k", SIZE_MAX - 1, "v", 1), NATS_ERR_LIMIT);
    free(value);
    nats_headers_free(headers);
}

static void no_object_is_an_error_not_a_crash(void **state)
{
    (void)state;
    assert_int_equal(nats_headers_new(NULL), NATS_ERR_INVALID);
    assert_int_equal(nats_headers_add(NULL, "a", NATS_Z, "b", NATS_Z), NATS_ERR_INVALID);
    assert_int_equal(nats_headers_count(NULL), 0);
    nats_headers_clear(NULL);
    nats_headers_free(NULL);
}

/* ---- reading ---- */

/* All pairs as "key=value;" after one another. */
static void walk(const char *block, size_t len, char *out, size_t size)
{
    char *copy = tight_copy(block, len);
    size_t cursor = 0;
    size_t at = 0;
    const char *key;
    const char *value;
    size_t key_len;
    size_t value_len;
    out[0] = '\0';
    while (nats__headers_next(copy, len, &cursor, &key, &key_len, &value, &value_len)) {
        at += (size_t)snprintf(out + at, size - at, "%.*s=%.*s;", (int)key_len, key, (int)value_len,
                               value);
    }
    assert_false(nats__headers_next(copy, len, &cursor, &key, &key_len, &value, &value_len));
    free(copy);
}

static void pairs_are_read_in_order_whatever_stands_between(void **state)
{
    (void)state;
    static const struct {
        const char *block;
        size_t len;
        const char *pairs;
    } cases[] = {
        {BYTES("NATS/1.0\r\nA: 1\r\nB: 2\r\n\r\n"), "A=1;B=2;"},
        {BYTES("NATS/1.0\r\nA: 1\r\nA: 2\r\na: 3\r\n\r\n"), "A=1;A=2;a=3;"},
        {BYTES("NATS/1.0 503\r\nA:1\r\n\r\n"), "A=1;"},
        {BYTES("NATS/1.0\r\nA:   spaced \t \r\n\r\n"), "A=spaced;"},
        {BYTES("NATS/1.0\r\nA:\r\nB: \r\n\r\n"), "A=;B=;"},
        {BYTES("NATS/1.0\r\nA: b: c: d\r\n\r\n"), "A=b: c: d;"},
        {BYTES("NATS/1.0\r\nno colon\r\nA: 1\r\n\r\n"), "A=1;"},
        {BYTES("NATS/1.0\r\n: no key\r\nA: 1\r\n\r\n"), "A=1;"},
        {BYTES("NATS/1.0\r\nA: 1\r\n folded: x\r\n\tmore\r\nB: 2\r\n\r\n"), "A=1;B=2;"},
        {BYTES("NATS/1.0\r\nA: x\ry\r\n\r\n"), "A=x\ry;"}, /* a lone CR is no end of a line */
        {BYTES("NATS/1.0\r\nA: x\r"), "A=x;"},
        {BYTES("NATS/1.0\nA: 1\nB: 2\n\n"), "A=1;B=2;"},
        {BYTES("NATS/1.0\r\nA: 1\r\nB: 2"), "A=1;B=2;"},
        {BYTES("NATS/1.0\r\nA: 1\r\n"), "A=1;"},
        {BYTES("NATS/1.0\r\nA: 1\r\n\r\nB: 2\r\n\r\n"), "A=1;"},
        {BYTES("NATS/1.0\r\n\r\n"), ""},
        {BYTES("NATS/1.0"), ""},
        {BYTES("NATS/1"), ""},
        {BYTES("HTTP/1.1 200\r\nA: 1\r\n\r\n"), ""},
        {BYTES("A: 1\r\n\r\n"), ""},
        {BYTES(""), ""},
        {BYTES("\r\n"), ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char pairs[200];
        walk(cases[i].block, cases[i].len, pairs, sizeof pairs);
        assert_string_equal(pairs, cases[i].pairs);
    }
}

static void any_truncation_is_safe_to_read(void **state)
{
    (void)state;
    static const char block[] = "NATS/1.0 503 No Responders\r\nKey: value\r\n x\r\n: \r\nB:2\r\n"
                                "\r\n";
    for (size_t len = 0; len < sizeof block; len++) {
        char pairs[200];
        const char *desc;
        size_t desc_len;
        char *copy = tight_copy(block, len);
        int32_t status = nats__headers_status(copy, len, &desc, &desc_len);
        assert_int_equal(status, len >= strlen("NATS/1.0 503") ? 503 : 0);
        free(copy);
        walk(block, len, pairs, sizeof pairs);
    }
}

static void the_status_is_three_digits_and_words(void **state)
{
    (void)state;
    static const struct {
        const char *block;
        size_t len;
        int32_t status;
        const char *desc;
    } cases[] = {
        {BYTES("NATS/1.0 503 No Responders\r\n\r\n"), 503, "No Responders"},
        {BYTES("NATS/1.0 503\r\n\r\n"), 503, ""},
        {BYTES("NATS/1.0 100 Idle Heartbeat\r\nA: 1\r\n\r\n"), 100, "Idle Heartbeat"},
        {BYTES("NATS/1.0   404 \t No Messages \r\n\r\n"), 404, "No Messages"},
        {BYTES("NATS/1.0\t408\tRequest Timeout\r\n"), 408, "Request Timeout"},
        {BYTES("NATS/1.0 409 a\rb\r\n"), 409, "a\rb"},
        {BYTES("NATS/1.0 503 x\n"), 503, "x"},
        {BYTES("NATS/1.0 503"), 503, ""},
        {BYTES("NATS/1.0 5"), 0, ""}, /* crashed a client once */
        {BYTES("NATS/1.0 50"), 0, ""},
        {BYTES("NATS/1.0 5\r\n\r\n"), 0, ""},
        {BYTES("NATS/1.0 50\r\n\r\n"), 0, ""},
        {BYTES("NATS/1.0 5034 x\r\n"), 0, ""},
        {BYTES("NATS/1.0 5x3 x\r\n"), 0, ""},
        {BYTES("NATS/1.0 -50 x\r\n"), 0, ""},
        {BYTES("NATS/1.0503 x\r\n"), 0, ""},
        {BYTES("NATS/1.0 \r\n"), 0, ""},
        {BYTES("NATS/1.0\r\n503: x\r\n\r\n"), 0, ""},
        {BYTES("NATS/1.0"), 0, ""},
        {BYTES("NATS/2.0 503\r\n"), 0, ""},
        {BYTES("nats/1.0 503\r\n"), 0, ""},
        {BYTES(""), 0, ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *desc;
        size_t desc_len;
        char *copy = tight_copy(cases[i].block, cases[i].len);
        int32_t status = nats__headers_status(copy, cases[i].len, &desc, &desc_len);
        assert_int_equal(status, cases[i].status);
        assert_bytes(desc, desc_len, cases[i].desc, strlen(cases[i].desc));
        free(copy);
    }
}

static void what_is_added_is_read_back(void **state)
{
    (void)state;
    static const char *const values[] = {"en", "", "a: b", "caf\xc3\xa9 \xff\x01\x7f", "x  y"};
    nats_headers *headers = new_headers();
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char key[8];
        snprintf(key, sizeof key, "K%zu", i % 3);
        assert_int_equal(nats_headers_add(headers, key, NATS_Z, values[i], NATS_Z), NATS_OK);
    }
    size_t cursor = 0;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char wanted[8];
        const char *key;
        const char *value;
        size_t key_len;
        size_t value_len;
        snprintf(wanted, sizeof wanted, "K%zu", i % 3);
        assert_true(nats__headers_next((char *)headers->block.data, headers->block.len, &cursor,
                                       &key, &key_len, &value, &value_len));
        assert_bytes(key, key_len, wanted, strlen(wanted));
        assert_bytes(value, value_len, values[i], strlen(values[i]));
    }
    nats_headers_free(headers);
}

static void twenty_thousand_keys_and_a_long_one_are_read(void **state)
{
    (void)state;
    nats_headers *headers = new_headers();
    char *long_key = malloc(65536);
    assert_non_null(long_key);
    memset(long_key, 'k', 65536);
    assert_int_equal(nats_headers_add(headers, long_key, 65536, BYTES("v")), NATS_OK);
    for (int i = 1; i < 20000; i++) {
        assert_int_equal(nats_headers_add(headers, BYTES("Key"), BYTES("value")), NATS_OK);
    }
    size_t cursor = 0;
    size_t count = 0;
    const char *key;
    const char *value;
    size_t key_len = 0;
    size_t value_len;
    while (nats__headers_next((char *)headers->block.data, headers->block.len, &cursor, &key,
                              &key_len, &value, &value_len)) {
        assert_int_equal(key_len, count == 0 ? 65536 : 3);
        count++;
    }
    assert_int_equal(count, 20000);
    assert_int_equal(nats_headers_count(headers), 20000);
    free(long_key);
    nats_headers_free(headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_object_has_no_block),
        cmocka_unit_test(the_block_is_ready_for_the_wire_after_each_pair),
        cmocka_unit_test(clearing_keeps_nothing_but_the_memory),
        cmocka_unit_test(bad_pairs_are_refused_by_part_and_place),
        cmocka_unit_test(a_block_over_the_largest_message_is_refused),
        cmocka_unit_test(no_object_is_an_error_not_a_crash),
        cmocka_unit_test(pairs_are_read_in_order_whatever_stands_between),
        cmocka_unit_test(any_truncation_is_safe_to_read),
        cmocka_unit_test(the_status_is_three_digits_and_words),
        cmocka_unit_test(what_is_added_is_read_back),
        cmocka_unit_test(twenty_thousand_keys_and_a_long_one_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
