/* Unsigned decimal numbers, by hand: printf is too slow for a line per message. */
#ifndef NATS_BASE_DECIMAL_H
#define NATS_BASE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

enum { NATS__DECIMAL_MAX = 20 }; /* digits of 2^64 - 1 */

/* Writes value to out (room for NATS__DECIMAL_MAX), no NUL. Returns how many digits. */
size_t nats__decimal_write(char *out, uint64_t value);

#endif
