/* Copying short runs of bytes: a subject, a small payload. A call of memcpy costs more than the
 * copy there. */
#ifndef NATS_BASE_COPY_H
#define NATS_BASE_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Copies len bytes and returns the place behind them. The two halves of a short run may overlap. */
static inline __attribute__((always_inline)) uint8_t *nats__copy(uint8_t *to, const void *from,
                                                                 size_t len)
{
    const uint8_t *bytes = (const uint8_t *)from;
    if (len > 32) {
        memcpy(to, bytes, len);
    } else if (len >= 16) {
        memcpy(to, bytes, 16);
        memcpy(to + len - 16, bytes + len - 16, 16);
    } else if (len >= 8) {
        memcpy(to, bytes, 8);
        memcpy(to + len - 8, bytes + len - 8, 8);
    } else if (len >= 4) {
        memcpy(to, bytes, 4);
        memcpy(to + len - 4, bytes + len - 4, 4);
    } else if (len > 0) {
        to[0] = bytes[0];
        to[len / 2] = bytes[len / 2];
        to[len - 1] = bytes[len - 1];
    }
    return to + len;
}

#endif
