/* Forgetting secrets. */
#ifndef NATS_BASE_WIPE_H
#define NATS_BASE_WIPE_H

#include <stddef.h>
#include <string.h>

/* As memset to zero, but kept by the compiler although nobody reads the bytes again. */
static inline void nats__wipe(void *data, size_t len)
{
    if (data == NULL || len == 0) {
        return;
    }
    memset(data, 0, len);
    __asm__ __volatile__("" : : "r"(data) : "memory");
}

#endif
