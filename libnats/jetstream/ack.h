/* Acknowledging messages: by a publish to the reply subject that each has, as it came. */
#ifndef NATS_JETSTREAM_ACK_H
#define NATS_JETSTREAM_ACK_H

#include <polynats/jetstream_consume.h>

#include "client/conn.h"

/* nats_msg.acked. */
enum {
    NATS__ACK_OPEN = 0,
    NATS__ACK_DONE = 1, /* or under way */
    NATS__ACK_NONE = 2  /* its consumer wants none: what is told is not sent */
};

nats_status nats__msg_ack(nats_client *client, nats_msg *msg, int32_t how, int64_t delay_ms,
                          const char *reason, size_t reason_len);
nats_status nats__msgs_ack(nats_client *client, nats_msg *const *batch, size_t count,
                           size_t *acked_out);
nats_status nats__msg_ack_start(nats_client *client, nats_msg *msg, int64_t timeout_ms,
                                nats_future **future_out);
/* The same by a reply subject: whether it was acknowledged the caller knows. */
nats_status nats__reply_ack(nats_client *client, const char *reply, size_t len, int32_t how,
                            int64_t delay_ms, const char *reason, size_t reason_len);
nats_status nats__reply_ack_start(nats_client *client, const char *reply, size_t len,
                                  int64_t timeout_ms, nats_future **future_out);
nats_status nats__replies_ack(nats_client *client, const char *const *replies, const size_t *lens,
                              size_t count, size_t *acked_out);

#endif
