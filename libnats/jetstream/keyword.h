/* What a publish says besides its data: keywords of languages, headers on the wire. */
#ifndef NATS_JETSTREAM_KEYWORD_H
#define NATS_JETSTREAM_KEYWORD_H

#include <polynats/status.h>

#include <stddef.h>
#include <stdint.h>

#include "proto/outbox.h"

typedef struct nats__keyword {
    const char *name;
    const char *header;
    int32_t kind;  /* NATS_JSON_… */
    int32_t level; /* of the server's API that knows it */
} nats__keyword;

/* NULL past the last, or when there is none of that name. */
const nats__keyword *nats__keyword_at(size_t index);
const nats__keyword *nats__keyword_find(const char *name);

/* Is the frame fit for a stream? Headers that a server would pass over silently, because their value is
 * none, are refused. *needs_out: the keyword whose level is the highest, NULL when none has one. Errors:
 * INVALID (names the header). */
nats_status nats__keywords_check(const nats__frame *frame, const nats__keyword **needs_out);

#endif
