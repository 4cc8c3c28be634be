#include "io/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/tcp.h"
#include "io/tls_context.h"

enum {
    READ_AHEAD = 64 * 1024, /* ciphertext taken from the socket at once: several records */
    HOST_NAME_SIZE = 255    /* of a DNS name, NUL included */
};

struct nats__tls {
    pthread_mutex_t mu;
    SSL *ssl;
    BIO_METHOD *method;
    nats__tls_memory *memory;
    int fd;
    char name[HOST_NAME_SIZE];
    char also[HOST_NAME_SIZE]; /* "" for none */
    bool ended;          /* the socket has no more to read */
    bool goes_on;        /* another record comes behind the one that is written */
    char why[128];       /* a read failed */
    atomic_uint_fast64_t in;  /* overhead: see nats__tls_overhead() */
    atomic_uint_fast64_t out;
    bool resumable;      /* the handshake is over, and nothing went wrong since */
};

/* ---- the socket, as OpenSSL sees it: its own would raise SIGPIPE ---- */

static int bio_result(BIO *bio, ptrdiff_t n, int retry)
{
    BIO_clear_retry_flags(bio);
    if (n > 0) {
        return (int)n;
    }
    if (n == 0) {
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
        return -1;
    }
    return n == -2 ? 0 : -1;
}

static int bio_read(BIO *bio, char *data, int size)
{
    nats__tls *tls = BIO_get_data(bio);
    ptrdiff_t n = nats__tcp_read(tls->fd, data, (size_t)size);
    if (n > 0) {
        atomic_fetch_add_explicit(&tls->in, (uint64_t)n, memory_order_relaxed);
    }
    tls->ended = n == -2;
    return bio_result(bio, n, BIO_FLAGS_READ);
}

static int bio_write(BIO *bio, const char *data, int len)
{
    nats__tls *tls = BIO_get_data(bio);
    ptrdiff_t n = tls->goes_on ? nats__tcp_write_part(tls->fd, data, (size_t)len)
                               : nats__tcp_write(tls->fd, data, (size_t)len);
    if (n > 0) {
        atomic_fetch_add_explicit(&tls->out, (uint64_t)n, memory_order_relaxed);
    }
    return bio_result(bio, n, BIO_FLAGS_WRITE);
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    const nats__tls *tls = BIO_get_data(bio);
    if (command == BIO_CTRL_EOF) {
        return tls != NULL && tls->ended;
    }
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static bool attach_socket(nats__tls *tls)
{
    tls->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket");
    if (tls->method == NULL) {
        return false;
    }
    BIO_meth_set_read(tls->method, bio_read);
    BIO_meth_set_write(tls->method, bio_write);
    BIO_meth_set_ctrl(tls->method, bio_ctrl);
    BIO *bio = BIO_new(tls->method);
    if (bio == NULL) {
        return false;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    return true;
}

/* ---- made and freed ---- */

static bool is_address(const char *name)
{
    uint8_t bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* Certificates and SNI know no dot at the end. */
static void put_name(char out[HOST_NAME_SIZE], const char *name)
{
    snprintf(out, HOST_NAME_SIZE, "%s", name != NULL ? name : "");
    size_t len = strlen(out);
    if (len > 0 && out[len - 1] == '.') {
        out[len - 1] = '\0';
    }
}

static bool set_up(nats__tls *tls, SSL_CTX *context)
{
    tls->ssl = SSL_new(context);
    if (tls->ssl == NULL || !attach_socket(tls)) {
        return false;
    }
    SSL_set_connect_state(tls->ssl);
    SSL_set_read_ahead(tls->ssl, 1);
    SSL_set_default_read_buffer_len(tls->ssl, READ_AHEAD);
    if (!is_address(tls->name) && SSL_set_tlsext_host_name(tls->ssl, tls->name) != 1) {
        return false;
    }
    const nats__tls_memory *memory = tls->memory;
    if (memory->session != NULL && strcmp(memory->session_name, tls->name) == 0) {
        SSL_set_session(tls->ssl, memory->session);
    }
    return true;
}

nats_status nats__tls_new(int fd, const nats__tls_wishes *wishes, nats__tls_memory **memory_io,
                          nats__tls **out)
{
    *out = NULL;
    if (*memory_io == NULL) {
        *memory_io = calloc(1, sizeof **memory_io);
    }
    nats__tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL || *memory_io == NULL) {
        free(tls);
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    pthread_mutex_init(&tls->mu, NULL);
    tls->fd = fd;
    tls->memory = *memory_io;
    put_name(tls->name, wishes->name);
    put_name(tls->also, wishes->also);
    SSL_CTX *context;
    nats_status status = nats__tls_context(wishes, tls->memory, &context);
    if (status == NATS_OK && !set_up(tls, context)) {
        status = nats__tls_fail(NATS_ERR_TLS, "tls", "TLS");
    }
    SSL_CTX_free(context);
    if (status != NATS_OK) {
        nats__tls_free(tls);
        return status;
    }
    *out = tls;
    return NATS_OK;
}

static void forget_session(nats__tls_memory *memory)
{
    SSL_SESSION_free(memory->session);
    free(memory->session_name);
    memory->session = NULL;
    memory->session_name = NULL;
}

/* In TLS 1.3 what is needed for it comes after the handshake, so it is taken at the end. */
static void keep_session(nats__tls *tls)
{
    forget_session(tls->memory);
    SSL_SESSION *session = SSL_get1_session(tls->ssl);
    char *name = strdup(tls->name);
    if (session == NULL || name == NULL || SSL_SESSION_is_resumable(session) != 1) {
        SSL_SESSION_free(session);
        free(name);
        return;
    }
    tls->memory->session = session;
    tls->memory->session_name = name;
}

void nats__tls_goodbye(nats__tls *tls)
{
    ERR_clear_error();
    if (tls->resumable) {
        keep_session(tls);
        SSL_shutdown(tls->ssl);
        /* Whoever hung up first: it was no attack on what may be resumed. */
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    ERR_clear_error();
}

void nats__tls_free(nats__tls *tls)
{
    if (tls == NULL) {
        return;
    }
    SSL_free(tls->ssl);
    BIO_meth_free(tls->method);
    pthread_mutex_destroy(&tls->mu);
    ERR_clear_error();
    free(tls);
}

void nats__tls_forget(nats__tls_memory *memory)
{
    if (memory == NULL) {
        return;
    }
    forget_session(memory);
    X509_STORE_free(memory->roots);
    free(memory);
}

/* ---- the handshake ---- */

/* 1: it is; 0: it is not; below 0: memory is out. */
static int is_for(X509 *peer, const char *name)
{
    if (is_address(name)) {
        return X509_check_ip_asc(peer, name, 0);
    }
    /* Common names have no rules for what they are, and so count no more (RFC 9525, 2). */
    unsigned int rules =
        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    return name[0] != '\0' ? X509_check_host(peer, name, 0, rules, NULL) : 0;
}

/* The name is ours, that of the URL; what the server says of itself is not asked. */
static nats_status check_name(const nats__tls *tls)
{
    X509 *peer = SSL_get0_peer_certificate(tls->ssl);
    int named = peer != NULL ? is_for(peer, tls->name) : 0;
    named = peer != NULL && named == 0 ? is_for(peer, tls->also) : named;
    if (named == 1) {
        return NATS_OK;
    }
    if (named < 0) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "TLS: out of memory");
    }
    return nats__fail(NATS_ERR_TLS, "tls", "TLS: the server's certificate is not for %s%s%s",
                      tls->name, tls->also[0] != '\0' ? " or " : "", tls->also);
}

/* The server's certificate was not taken; the system's may be others by the next time. */
static nats_status not_trusted(nats__tls *tls, long verdict)
{
    X509_STORE_free(tls->memory->roots);
    tls->memory->roots = NULL;
    return nats__fail(NATS_ERR_TLS, "tls", "TLS: the server's certificate: %s",
                      X509_verify_cert_error_string(verdict));
}

static nats_status handshake_failed(nats__tls *tls, int why)
{
    long verdict = SSL_get_verify_result(tls->ssl);
    nats__tls_trouble trouble = nats__tls_take_trouble();
    bool broken = why == SSL_ERROR_SYSCALL || why == SSL_ERROR_ZERO_RETURN || tls->ended;
    bool silent = trouble.reason == 0 && !broken; /* no memory even for a note */
    if (trouble.no_memory || verdict == X509_V_ERR_OUT_OF_MEM || silent) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "TLS: out of memory");
    }
    if (verdict != X509_V_OK) {
        return not_trusted(tls, verdict);
    }
    if (trouble.reason == SSL_R_WRONG_VERSION_NUMBER || trouble.reason == SSL_R_HTTP_REQUEST) {
        return nats__fail(NATS_ERR_TLS, "tls", "TLS: the server does not speak it here");
    }
    if (broken) {
        return nats__fail(NATS_ERR_TLS, "tls",
                          "TLS: the server closed the connection during the handshake");
    }
    return nats__fail(NATS_ERR_TLS, "tls", "TLS: %s", trouble.text);
}

nats_status nats__tls_handshake(nats__tls *tls, int *wants_out)
{
    *wants_out = NATS__TLS_DONE;
    ERR_clear_error();
    int n = SSL_do_handshake(tls->ssl);
    if (n == 1) {
        nats_status status = check_name(tls);
        tls->resumable = status == NATS_OK;
        return status;
    }
    int why = SSL_get_error(tls->ssl, n);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        *wants_out = why == SSL_ERROR_WANT_READ ? NATS__TLS_WANTS_READ : NATS__TLS_WANTS_WRITE;
        return NATS_OK;
    }
    forget_session(tls->memory); /* who cannot go on with it begins anew the next time */
    return handshake_failed(tls, why);
}

/* ---- bytes ---- */

/* What a call that moved nothing means; 0: would block. *text_out: of -1, what OpenSSL says. */
static ptrdiff_t no_bytes(nats__tls *tls, int result, const char **text_out)
{
    int why = SSL_get_error(tls->ssl, result);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        return 0;
    }
    if (why == SSL_ERROR_ZERO_RETURN || tls->ended) {
        return -2;
    }
    bool system = why == SSL_ERROR_SYSCALL && errno != 0;
    int error = errno;
    nats__tls_trouble trouble = nats__tls_take_trouble();
    tls->resumable = tls->resumable && system;
    *text_out = trouble.reason != 0 ? trouble.text : "broken";
    errno = system ? error : trouble.no_memory ? ENOMEM : EPROTO;
    return -1;
}

const char *nats__tls_why(const nats__tls *tls)
{
    return tls->why;
}

ptrdiff_t nats__tls_read(nats__tls *tls, void *data, size_t size)
{
    size_t done = 0;
    ptrdiff_t end = 0;
    const char *why = "";
    pthread_mutex_lock(&tls->mu);
    ERR_clear_error();
    while (done < size) {
        size_t n = 0;
        int result = SSL_read_ex(tls->ssl, (char *)data + done, size - done, &n);
        done += n;
        if (result != 1) {
            end = no_bytes(tls, result, &why);
            break;
        }
    }
    atomic_fetch_sub_explicit(&tls->in, (uint64_t)done, memory_order_relaxed);
    int error = errno;
    if (end == -1) {
        snprintf(tls->why, sizeof tls->why, "TLS: %s", why);
    }
    pthread_mutex_unlock(&tls->mu);
    errno = error;
    return done > 0 ? (ptrdiff_t)done : end;
}

ptrdiff_t nats__tls_write(nats__tls *tls, const void *data, size_t len)
{
    size_t done = 0;
    ptrdiff_t end = 0;
    const char *why = "";
    pthread_mutex_lock(&tls->mu);
    ERR_clear_error();
    while (done < len) {
        size_t n = 0;
        tls->goes_on = len - done > SSL3_RT_MAX_PLAIN_LENGTH;
        int result = SSL_write_ex(tls->ssl, (const char *)data + done, len - done, &n);
        done += n;
        if (result != 1) {
            end = no_bytes(tls, result, &why);
            break;
        }
    }
    tls->goes_on = false;
    atomic_fetch_sub_explicit(&tls->out, (uint64_t)done, memory_order_relaxed);
    int error = errno;
    pthread_mutex_unlock(&tls->mu);
    errno = error;
    return done > 0 ? (ptrdiff_t)done : end == -2 ? -1 : end;
}

nats__tls_facts nats__tls_facts_of(nats__tls *tls)
{
    pthread_mutex_lock(&tls->mu);
    nats__tls_facts facts = {.version = SSL_get_version(tls->ssl),
                             .cipher = SSL_get_cipher_name(tls->ssl),
                             .resumed = SSL_session_reused(tls->ssl) == 1};
    pthread_mutex_unlock(&tls->mu);
    return facts;
}

/* What OpenSSL has read ahead and not given yet is overhead until it has; what it keeps to write is
 * not counted yet, so the difference may be below nothing for a moment. */
static uint64_t settled(uint64_t difference)
{
    return difference > INT64_MAX ? 0 : difference;
}

void nats__tls_overhead(const nats__tls *tls, uint64_t *in_out, uint64_t *out_out)
{
    *in_out = settled(atomic_load_explicit(&tls->in, memory_order_relaxed));
    *out_out = settled(atomic_load_explicit(&tls->out, memory_order_relaxed));
}
