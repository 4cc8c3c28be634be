/* Credentials on the way to a connection: the parts that hold mu, and the one between them that does
 * not, for it reads files. */
#ifndef NATS_CLIENT_AUTH_H
#define NATS_CLIENT_AUTH_H

#include "client/conn.h"
#include "crypto/creds.h"

typedef struct nats__auth_job {
    bool due;  /* there are some to be read */
    bool done; /* they were */
    const nats_options *options;
    nats__creds creds;
    nats_status status; /* the words are the thread's last error */
} nats__auth_job;

/* mu held, by the driver. */
void nats__auth_prepare(const nats__conn *conn, nats__auth_job *job);
/* No lock held. By the driver: nobody else touches the transport. */
void nats__auth_do(nats__auth_job *job);
/* mu held, after that. The job's secrets are gone then. */
void nats__auth_take(nats__conn *conn, nats__auth_job *job, int64_t now_ns);

#endif
