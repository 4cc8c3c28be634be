/* What a .creds file holds: a user's JWT and the seed that signs for it, each between a line of
 * "-----BEGIN …-----" and one of "------END …------". */
#ifndef NATS_CRYPTO_CREDS_H
#define NATS_CRYPTO_CREDS_H

#include "crypto/nkey.h"

typedef struct nats__creds {
    char *jwt; /* owned; NULL when there was none */
    nats__nkey key;
    bool has_key;
} nats__creds;

/* Is this the text of such a file, and not the name of one? */
bool nats__creds_is_text(const char *text, size_t len);

/* Read both. *out is empty on failure. Errors: INVALID (the text names the line and never what it
 * holds; about "creds"), NO_MEMORY, NOT_SUPPORTED. */
nats_status nats__creds_parse(const char *text, size_t len, nats__creds *out);
/* The same of a file that holds a seed alone, with or without such lines; about "nkey". */
nats_status nats__creds_parse_seed(const char *text, size_t len, nats__creds *out);
/* A JWT: three parts of base64url with dots between. Blanks around it are passed over. Errors:
 * INVALID (about "jwt"), NO_MEMORY. */
nats_status nats__creds_parse_jwt(const char *text, size_t len, nats__creds *out);
bool nats__creds_looks_like_jwt(const char *text, size_t len);
void nats__creds_clear(nats__creds *creds); /* wipes */

#endif
