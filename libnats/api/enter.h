/* What every exported function on a handle does first. */
#ifndef NATS_API_ENTER_H
#define NATS_API_ENTER_H

#include "base/error.h"
#include "client/conn.h"

/* May this process use the client at all? NATS_OK, INVALID (NULL), FORKED. Closed clients pass. */
nats_status nats__enter(const nats_client *client);

/* As nats__enter(), and the client is open: else CLOSED. */
nats_status nats__enter_open(const nats_client *client);

/* The same without words: what is asked before every publish. */
static inline bool nats__open(const nats_client *client)
{
    return client != NULL && client->fork_generation == nats__fork_generation() &&
           !atomic_load_explicit(&client->closed, memory_order_relaxed);
}

/* Note whose call failed, for nats_last_error(client). Returns status. */
nats_status nats__leave(const nats_client *client, nats_status status);

/* Close the client. flush: wait a little for what was published. mu not held. */
void nats__client_close(nats_client *client, bool flush);

nats_status nats__null_argument(const char *name);

/* Is it one of NATS_SUB_…? */
nats_status nats__mode_check(int32_t mode);
/* Limits of what may wait: 1 or more, -1 for none; 0 where it stands for the client's. */
nats_status nats__limits_check(int64_t pending_msgs, int64_t pending_bytes, bool zero_allowed);

#endif
