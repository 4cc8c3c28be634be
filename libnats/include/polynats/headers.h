/* Message headers to send: an ordered list of keys and values (ADR-4).
 *
 * Keys keep their case and their order, and may repeat. Each pair is checked when it is added, so
 * publishing never fails because of a header's form. One object may serve many publishes.
 *
 *     nats_headers *headers;
 *     nats_headers_new(&headers);
 *     nats_headers_add(headers, "Lang", NATS_Z, "en", NATS_Z);
 *     nats_headers_add(headers, "Lang", NATS_Z, "fr", NATS_Z);
 *
 * Threads: one thread at a time while it is changed; any number may publish with it.
 */
#ifndef POLYNATS_HEADERS_H
#define POLYNATS_HEADERS_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_headers nats_headers;

/* headers_out: owned, free with nats_headers_free(). Errors: NO_MEMORY. */
NATS_API nats_status nats_headers_new(nats_headers **headers_out);
/* Free the list. Publishes that were made with it have their own copy. NULL is fine. Not while
 * another thread uses it. */
NATS_API void nats_headers_free(nats_headers *headers);

/* Add a pair after those already there; key and value are copied. key: printable ASCII without
 * colon and space, at least one byte. value: any bytes but CR, LF, NUL. Leading and trailing
 * blanks of a value belong to the value, as far as the receiver keeps them. Errors: INVALID
 * (names the part and the place of the offending byte), LIMIT (over 64 MiB), NO_MEMORY. */
NATS_API nats_status nats_headers_add(nats_headers *headers, const char *key, size_t key_len,
                                      const char *value, size_t value_len);

/* Remove all pairs and keep the memory. */
NATS_API void nats_headers_clear(nats_headers *headers);

/* How many pairs there are. */
NATS_API size_t nats_headers_count(const nats_headers *headers);

#ifdef __cplusplus
}
#endif

#endif
