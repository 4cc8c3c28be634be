/* The lines of the protocol in a stream of bytes, for people to read: no payloads, no secrets. */
#ifndef NATS_PROTO_TAP_H
#define NATS_PROTO_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NATS__TAP_LINE_MAX = 512 }; /* bytes told of a line: an INFO of a cluster can be long */

/* One way of a connection. All zero at its beginning. */
typedef struct nats__tap {
    uint64_t payload; /* bytes of one that are still to come: they are passed over */
    uint64_t number;  /* the last word of the line so far: of a message, its size */
    bool gap;         /* blanks stand behind it */
    size_t len;       /* of a line that began in an earlier piece */
    char line[NATS__TAP_LINE_MAX];
} nats__tap;

/* line: NUL-terminated, printable UTF-8, of at most NATS__TAP_LINE_MAX bytes; longer ones end with
 * three dots. Of a CONNECT the fields alone that hold no secret are told, the others are named. */
typedef void (*nats__tap_fn)(void *who, const char *line);

/* Bytes that went this way, cut anywhere. */
void nats__tap_feed(nats__tap *tap, const void *bytes, size_t len, nats__tap_fn tell, void *who);

#endif
