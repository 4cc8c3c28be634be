#ifndef NATS_BASE_UTF8_H
#define NATS_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The offset of the first byte that is not part of well-formed UTF-8 (no overlong forms, no
 * surrogates, nothing over U+10FFFF), or len when all is well. */
size_t nats__utf8_check(const char *text, size_t len);
/* For texts that hold what a server or a script sent: bindings decode them as UTF-8 and terminals act
 * on control bytes, so in place of either there is a '?'. */
void nats__utf8_printable(char *text);
/* The bytes of a code point, of which the last is U+10FFFF. Returns how many. */
size_t nats__utf8_write(uint32_t point, char bytes[4]);

#endif
