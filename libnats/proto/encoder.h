/* Control lines to the server. */
#ifndef NATS_PROTO_ENCODER_H
#define NATS_PROTO_ENCODER_H

#include "base/buf.h"

/* All: false when memory is out. Arguments are already checked. */
bool nats__encode_sub(nats__buf *out, uint64_t sid, const char *subject, size_t subject_len,
                      const char *queue, size_t queue_len);
bool nats__encode_unsub(nats__buf *out, uint64_t sid, uint64_t max); /* max 0: at once */
bool nats__encode_ping(nats__buf *out);
bool nats__encode_pong(nats__buf *out);
bool nats__encode_connect(nats__buf *out, const char *json);

#endif
