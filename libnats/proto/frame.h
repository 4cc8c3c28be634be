/* A message to publish, its parts checked. */
#ifndef NATS_PROTO_FRAME_H
#define NATS_PROTO_FRAME_H

#include <polynats/headers.h>

#include "proto/outbox.h"

/* Check all parts and make a frame that borrows them. Lengths may be NATS_Z. Errors: INVALID
 * (names the argument and the byte), MAX_PAYLOAD (over what any server takes). */
nats_status nats__frame_make(nats__frame *frame, const char *subject, size_t subject_len,
                             const char *reply, size_t reply_len, const nats_headers *headers,
                             const void *data, size_t data_len);
nats_status nats__frame_check_data(const void *data, size_t data_len);

#endif
