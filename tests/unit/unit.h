/* What every unit test includes: cmocka with what it needs, and checks of noted errors. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A text constant and its length, NULs inside counted. */
#define BYTES(text) (text), (sizeof(text) - 1)

/* Forget the last failure, so that a check cannot see an older one. */
static inline void forget_error(void)
{
    memset(nats__error_get(), 0, sizeof(nats__error));
}

/* status, and the noted status, are `wanted`, and the text is exactly this. */
static inline void assert_failed(nats_status status, nats_status wanted, const char *text)
{
    assert_int_equal(status, wanted);
    assert_int_equal(nats__error_get()->status, wanted);
    assert_string_equal(nats__error_get()->text, text);
}

static inline void assert_bytes(const void *data, size_t len, const char *wanted, size_t wanted_len)
{
    assert_int_equal(len, wanted_len);
    if (wanted_len > 0) {
        assert_memory_equal(data, wanted, wanted_len);
    }
}

/* The bytes at the very end of their own block, so that a sanitizer sees one byte too many being
 * read. */
static inline char *tight_copy(const void *bytes, size_t len)
{
    char *copy = malloc(len == 0 ? 1 : len);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    return copy;
}

#endif
