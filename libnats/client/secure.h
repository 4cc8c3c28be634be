/* TLS on the way to a connection: the parts that hold mu, and the one between them that does not. */
#ifndef NATS_CLIENT_SECURE_H
#define NATS_CLIENT_SECURE_H

#include "client/conn.h"

enum { NATS__HOST_SIZE = 256 }; /* of a DNS name, NUL included */

/* A step of the handshake, its beginning included. */
typedef struct nats__secure_job {
    bool due;  /* there is one to be made */
    bool done; /* it was */
    int fd;
    nats__tls_wishes wishes;
    char name[NATS__HOST_SIZE];
    char also[NATS__HOST_SIZE];
    nats__tls *tls; /* NULL: it begins */
    nats__tls_memory *memory;
    nats_status status; /* the words are the thread's last error */
    int wants;          /* NATS__TLS_… */
} nats__secure_job;

/* mu held. Is the next step to be made without waiting for the socket? */
bool nats__secure_is_due(const nats__conn *conn);
/* mu held, by the driver. */
void nats__secure_prepare(nats__conn *conn, nats__secure_job *job);
/* No lock held. By the driver: nobody else touches the transport. */
void nats__secure_do(nats__secure_job *job);
/* mu held, after a step was made. */
void nats__secure_take(nats__conn *conn, const nats__secure_job *job, int64_t now_ns);

#endif
