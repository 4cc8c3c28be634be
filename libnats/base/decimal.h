/* Unsigned decimal numbers, by hand: printf is too slow for a line per message. */
#ifndef NATS_BASE_DECIMAL_H
#define NATS_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NATS__DECIMAL_MAX = 20 }; /* digits of 2^64 - 1 */

/* Digits and nothing else, of a number of uint64_t: else false. */
bool nats__decimal_read(const char *text, size_t len, uint64_t *out);
/* Of 1,000 and more. */
size_t nats__decimal_write_long(char *out, uint64_t value);

/* Writes value to out (room for NATS__DECIMAL_MAX), no NUL. Returns how many digits. */
static inline size_t nats__decimal_write(char *out, uint64_t value)
{
    if (value < 10) {
        out[0] = (char)('0' + value);
        return 1;
    }
    if (value < 100) {
        out[0] = (char)('0' + value / 10);
        out[1] = (char)('0' + value % 10);
        return 2;
    }
    if (value < 1000) {
        out[0] = (char)('0' + value / 100);
        out[1] = (char)('0' + value / 10 % 10);
        out[2] = (char)('0' + value % 10);
        return 3;
    }
    return nats__decimal_write_long(out, value);
}

#endif
