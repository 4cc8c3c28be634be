/* Header blocks: built by nats_headers, read in place (ADR-4). */
#ifndef NATS_PROTO_HEADERS_H
#define NATS_PROTO_HEADERS_H

#include <polynats/headers.h>

#include <stdbool.h>

#include "base/buf.h"

/* block holds "NATS/1.0\r\n" and the pairs; the blank line at the end is kept in place all the
 * time, so block.data/len is what goes on the wire. Empty (len 0) until the first pair. */
struct nats_headers {
    nats__buf block;
    size_t count;
};

/* No server takes a larger message: its own upper bound. */
enum { NATS__HEADERS_MAX = 64 * 1024 * 1024 };

/* As nats_headers_add(), with lengths resolved. */
nats_status nats__headers_add(nats_headers *headers, const char *key, size_t key_len,
                              const char *value, size_t value_len);

/* The status of a block's first line ("NATS/1.0 503 No Responders\r\n"), 0 when there is none or
 * it is not three digits; *desc_out, *desc_len_out: the rest of that line, blanks cut. Any bytes
 * are safe to ask about. */
int32_t nats__headers_status(const char *block, size_t len, const char **desc_out,
                             size_t *desc_len_out);
/* As nats_msg_next_header(), on a block. Blanks around the value are cut; a key is never empty. */
bool nats__headers_next(const char *block, size_t len, size_t *cursor, const char **key_out,
                        size_t *key_len_out, const char **value_out, size_t *value_len_out);

#endif
