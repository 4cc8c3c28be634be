/* What a handshake needs: whom to trust, who we are, and what is left of the last one. */
#ifndef NATS_IO_TLS_CONTEXT_H
#define NATS_IO_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "io/tls.h"

struct nats__tls_memory {
    X509_STORE *roots;    /* the system's: reading them takes long */
    SSL_SESSION *session; /* of the last connection, to go on with */
    char *session_name;   /* the host that it was with */
};

/* What OpenSSL noted of a failure. */
typedef struct nats__tls_trouble {
    bool no_memory;   /* an allocation failed, whatever came of that */
    int reason;       /* the last one's; 0: it noted nothing */
    const char *text; /* of the last one, for people; lives for ever */
} nats__tls_trouble;

/* Empties the queue in which OpenSSL notes failures of this thread. */
nats__tls_trouble nats__tls_take_trouble(void);
/* Note a failure with what OpenSSL says of it, and empty its queue. NO_MEMORY takes the place of
 * `status` where that is the cause. */
nats_status nats__tls_fail(nats_status status, const char *about, const char *what);
nats_status nats__tls_context(const nats__tls_wishes *wishes, nats__tls_memory *memory,
                              SSL_CTX **out);

#endif
