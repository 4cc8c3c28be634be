#include "io/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/file.h"

enum { PROBE = 4096 }; /* bytes: more than most allocations of a handshake, less than its buffers */

/* OpenSSL often forgets that it was an allocation that failed, and tells of what came of that: of a
 * certificate that is not trusted, say. While memory is out, so it was. */
static bool memory_is_out(void)
{
    void *volatile probe = malloc(PROBE); /* compilers take one that is not used for granted */
    free(probe);
    return probe == NULL;
}

nats__tls_trouble nats__tls_take_trouble(void)
{
    nats__tls_trouble trouble = {.text = "unknown reason", .no_memory = memory_is_out()};
    unsigned long code;
    while ((code = ERR_get_error()) != 0) {
        const char *text = ERR_reason_error_string(code);
        trouble.reason = ERR_GET_REASON(code);
        trouble.text = text != NULL ? text : "unknown reason";
        trouble.no_memory = trouble.no_memory || trouble.reason == ERR_R_MALLOC_FAILURE;
    }
    return trouble;
}

nats_status nats__tls_fail(nats_status status, const char *about, const char *what)
{
    nats__tls_trouble trouble = nats__tls_take_trouble();
    /* It notes something of every failure, unless there is no memory for the note. */
    if (trouble.no_memory || trouble.reason == 0) {
        return nats__fail(NATS_ERR_NO_MEMORY, about, "%s: out of memory", what);
    }
    return nats__fail(status, about, "%s: %s", what, trouble.text);
}

/* ---- texts in PEM ---- */

/* A file, or the text itself: PEM says so. */
static nats_status open_pem(const char *value, const char *about, nats__buf *file, BIO **out)
{
    *file = (nats__buf){0};
    nats_status status = NATS_OK;
    const char *text = value;
    size_t len = strlen(value);
    if (strstr(value, "-----BEGIN") == NULL) {
        status = nats__file_read(value, about, file);
        text = (const char *)file->data;
        len = file->len;
    }
    *out = status == NATS_OK ? BIO_new_mem_buf(text, (int)len) : NULL;
    if (status == NATS_OK && *out == NULL) {
        nats__file_wipe(file);
        return nats__fail(NATS_ERR_NO_MEMORY, about, "out of memory");
    }
    return status;
}

static void close_pem(BIO *pem, nats__buf *file)
{
    BIO_free(pem);
    nats__file_wipe(file);
}

/* A key that is locked needs a word that nobody could be asked for. */
static int no_password(char *buffer, int size, int writing, void *context)
{
    (void)buffer, (void)size, (void)writing, (void)context;
    return 0;
}

static nats_status add_roots(SSL_CTX *context, BIO *pem)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    size_t count = 0;
    X509 *one;
    while ((one = PEM_read_bio_X509(pem, NULL, no_password, NULL)) != NULL) {
        count += (size_t)(X509_STORE_add_cert(store, one) == 1);
        X509_free(one);
    }
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (count == 0 && at_end) {
        ERR_clear_error();
        return nats__fail(NATS_ERR_INVALID, "tls_ca", "tls_ca: there is no certificate in it");
    }
    if (!at_end) {
        return nats__tls_fail(NATS_ERR_INVALID, "tls_ca", "tls_ca: a certificate cannot be read");
    }
    ERR_clear_error();
    return NATS_OK;
}

static nats_status trust(SSL_CTX *context, const char *ca)
{
    nats__buf file;
    BIO *pem;
    nats_status status = open_pem(ca, "tls_ca", &file, &pem);
    if (status == NATS_OK) {
        status = add_roots(context, pem);
        close_pem(pem, &file);
    }
    return status;
}

/* As X509_STORE_set_default_paths(), which does not tell of certificates that it had no memory for.
 * A file or a folder that is not there is none of its failures either. */
static bool add_system_roots(X509_STORE *store)
{
    X509_LOOKUP *file = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    X509_LOOKUP *folder = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
    if (file == NULL || folder == NULL) {
        return false;
    }
    bool read = X509_LOOKUP_load_file(file, NULL, X509_FILETYPE_DEFAULT) == 1;
    bool added = X509_LOOKUP_add_dir(folder, NULL, X509_FILETYPE_DEFAULT) == 1;
    return (read && added) || !nats__tls_take_trouble().no_memory;
}

static nats_status trust_system(SSL_CTX *context, nats__tls_memory *memory)
{
    if (memory->roots == NULL) {
        memory->roots = X509_STORE_new();
        if (memory->roots == NULL || !add_system_roots(memory->roots)) {
            X509_STORE_free(memory->roots);
            memory->roots = NULL;
            return nats__tls_fail(NATS_ERR_NO_MEMORY, "tls_ca", "the system's certificates");
        }
    }
    SSL_CTX_set1_cert_store(context, memory->roots);
    return NATS_OK;
}

/* ---- who we are ---- */

static nats_status use_chain(SSL_CTX *context, BIO *pem)
{
    X509 *own = PEM_read_bio_X509(pem, NULL, no_password, NULL);
    bool ok = own != NULL && SSL_CTX_use_certificate(context, own) == 1;
    X509_free(own);
    if (!ok) {
        return nats__tls_fail(NATS_ERR_INVALID, "tls_cert",
                              "tls_cert: the certificate cannot be read");
    }
    X509 *next;
    while ((next = PEM_read_bio_X509(pem, NULL, no_password, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(context, next) != 1) {
            X509_free(next);
            return nats__tls_fail(NATS_ERR_INVALID, "tls_cert", "tls_cert: its chain");
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        return nats__tls_fail(NATS_ERR_INVALID, "tls_cert",
                              "tls_cert: a certificate of its chain cannot be read");
    }
    ERR_clear_error();
    return NATS_OK;
}

static nats_status use_key(SSL_CTX *context, BIO *pem)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_password, NULL);
    if (key == NULL) {
        return nats__tls_fail(NATS_ERR_INVALID, "tls_key", "tls_key: the key cannot be read");
    }
    bool ok = SSL_CTX_use_PrivateKey(context, key) == 1 &&
              SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    return ok ? NATS_OK
              : nats__tls_fail(NATS_ERR_INVALID, "tls_key", "tls_key: not the key of tls_cert");
}

static nats_status identify(SSL_CTX *context, const nats__tls_wishes *wishes)
{
    if (wishes->cert == NULL && wishes->key == NULL) {
        return NATS_OK;
    }
    if (wishes->cert == NULL || wishes->key == NULL) {
        const char *given = wishes->cert != NULL ? "tls_cert" : "tls_key";
        return nats__fail(NATS_ERR_INVALID, given, "%s is given and %s is not", given,
                          wishes->cert != NULL ? "tls_key" : "tls_cert");
    }
    nats__buf file;
    BIO *pem;
    nats_status status = open_pem(wishes->cert, "tls_cert", &file, &pem);
    if (status == NATS_OK) {
        status = use_chain(context, pem);
        close_pem(pem, &file);
    }
    if (status == NATS_OK) {
        status = open_pem(wishes->key, "tls_key", &file, &pem);
        if (status == NATS_OK) {
            status = use_key(context, pem);
            close_pem(pem, &file);
        }
    }
    return status;
}

/* ---- the whole ---- */

static void set_rules(SSL_CTX *context)
{
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    /* A stream that is cut loses nothing unseen: messages tell their length. That it was is no
     * reason to doubt the session. */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* A piece of the outbox may be moved between two tries, and written in parts. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT |
                                                SSL_SESS_CACHE_NO_INTERNAL_STORE);
}

nats_status nats__tls_context(const nats__tls_wishes *wishes, nats__tls_memory *memory,
                              SSL_CTX **out)
{
    ERR_clear_error();
    *out = SSL_CTX_new(TLS_client_method());
    if (*out == NULL) {
        return nats__tls_fail(NATS_ERR_NO_MEMORY, NULL, "TLS");
    }
    set_rules(*out);
    nats_status status = identify(*out, wishes);
    if (status == NATS_OK) {
        status = wishes->ca != NULL ? trust(*out, wishes->ca) : trust_system(*out, memory);
    }
    if (status != NATS_OK) {
        SSL_CTX_free(*out);
        *out = NULL;
    }
    return status;
}
