/* What every fuzz target includes: its entry, and a check that holds in every build. */
#ifndef TESTS_FUZZ_CHECK_H
#define TESTS_FUZZ_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

/* True when [part, part + len) lies within [whole, whole + size). */
static inline bool is_within(const void *part, size_t len, const void *whole, size_t size)
{
    uintptr_t begin = (uintptr_t)whole;
    uintptr_t at = (uintptr_t)part;
    return at >= begin && at - begin <= size && len <= size - (at - begin);
}

#endif
