/* What the server means by -ERR (ADR-40): texts are compared case-insensitively. */
#ifndef NATS_PROTO_ERR_H
#define NATS_PROTO_ERR_H

#include <polynats/kind.h>
#include <polynats/status.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct nats__err {
    int32_t kind; /* NATS_KIND_… */
    nats_status status;
    bool recoverable; /* the connection goes on */
    /* Of a permissions violation; borrowed from the text, NULL when not said. As the server quotes
     * them: nats__err_unquote() tells what they are. */
    const char *subject;
    size_t subject_len;
    const char *queue;
    size_t queue_len;
    uint64_t sid; /* 0 when not said */
    bool of_reply; /* the subject is the reply of the publish that is refused */
} nats__err;

/* text: what follows -ERR, with or without its quotes. Never fails: unknown texts are SERVER,
 * recoverable (the server closes the connection itself if it wants to). */
void nats__err_parse(const char *text, size_t len, nats__err *out);
/* Undo Go's %q, into a buffer of `size` bytes, ended by a NUL; what does not fit is left out, and
 * what is no escape stays as it is. text may be NULL. Returns the length. */
size_t nats__err_unquote(const char *text, size_t len, char *buffer, size_t size);

#endif
