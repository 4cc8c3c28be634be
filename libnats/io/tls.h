/* TLS over a connected socket, by OpenSSL. A build without it has none/tls.c in place of tls.c.
 *
 * One thread may read while another writes: OpenSSL's objects are not made for that, so each call
 * takes a mutex of its own. No call waits for the server. */
#ifndef NATS_IO_TLS_H
#define NATS_IO_TLS_H

#include <polynats/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nats__tls nats__tls;

/* What a connection keeps from one handshake to the next: the system's trusted certificates, and
 * the session to go on with. */
typedef struct nats__tls_memory nats__tls_memory;

/* Each of the first three is a file's name or the text of one; NULL: none. */
typedef struct nats__tls_wishes {
    const char *ca;   /* NULL: what the system trusts */
    const char *cert;
    const char *key;
    const char *name; /* the host that was dialled: the certificate must be for it */
    const char *also; /* or for this one; NULL: none */
} nats__tls_wishes;

enum { NATS__TLS_DONE = 0, NATS__TLS_WANTS_READ = 1, NATS__TLS_WANTS_WRITE = 2 };

/* *memory_io: NULL at first; made here, freed by nats__tls_forget(). Errors: TLS, INVALID, IO (of
 * the options: the text names the option), NO_MEMORY, NOT_SUPPORTED. */
nats_status nats__tls_new(int fd, const nats__tls_wishes *wishes, nats__tls_memory **memory_io,
                          nats__tls **out);
/* A step of the handshake. *wants_out: what to wait for until the next. Errors: TLS (the text says
 * why), DISCONNECTED. */
nats_status nats__tls_handshake(nats__tls *tls, int *wants_out);
/* Keep the session, and tell the server that no more comes. Nothing else is asked of it then. */
void nats__tls_goodbye(nats__tls *tls);
void nats__tls_free(nats__tls *tls); /* the socket stays the caller's; NULL is fine */
void nats__tls_forget(nats__tls_memory *memory); /* NULL is fine */

/* What was agreed on, for people. Each lives for ever. */
typedef struct nats__tls_facts {
    const char *version; /* "TLSv1.3" */
    const char *cipher;  /* "TLS_AES_256_GCM_SHA384" */
    bool resumed;
} nats__tls_facts;
nats__tls_facts nats__tls_facts_of(nats__tls *tls);
/* Bytes of the socket over those that nats__tls_read() and nats__tls_write() had: the handshake and
 * what records add. No lock is taken. */
void nats__tls_overhead(const nats__tls *tls, uint64_t *in_out, uint64_t *out_out);

/* As nats__tcp_read() and nats__tcp_write(); -1 with errno EPROTO when TLS is broken, with ENOMEM
 * when memory is out, which breaks it too. A read goes on until `size` is full or the socket is
 * empty: with less, nothing is left inside. */
ptrdiff_t nats__tls_read(nats__tls *tls, void *data, size_t size);
ptrdiff_t nats__tls_write(nats__tls *tls, const void *data, size_t len);
/* Why a read said EPROTO. For who reads. */
const char *nats__tls_why(const nats__tls *tls);

#endif
