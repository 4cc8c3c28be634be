/* DEFLATE as permessage-deflate has it (RFC 7692), by zlib; the only folder that sees it. A build
 * without it has none/zip.c in place of zip.c. */
#ifndef NATS_ZIP_ZIP_H
#define NATS_ZIP_ZIP_H

#include <polynats/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both directions of a connection; each may be used by a thread of its own. */
typedef struct nats__zip nats__zip;

/* Errors: NO_MEMORY, NOT_SUPPORTED. */
nats_status nats__zip_new(nats__zip **out);
void nats__zip_free(nats__zip *zip); /* NULL is fine */

/* Inflate from *in to at most size (> 0) bytes of out. Returns how many; -1 when it is broken. With
 * less than size all of *in was taken, and nothing is held inside. Memory does not grow with what
 * comes out. */
ptrdiff_t nats__zip_inflate(nats__zip *zip, const uint8_t **in, size_t *in_len, uint8_t *out,
                            size_t size);
/* The next message does not build on those before it. */
void nats__zip_forget(nats__zip *zip);

/* Deflate a message, by itself, without the four bytes that all end with. Returns its length, or 0
 * when it does not fit into size: then it is not worth it. */
size_t nats__zip_deflate(nats__zip *zip, const void *data, size_t len, uint8_t *out, size_t size);

#endif
