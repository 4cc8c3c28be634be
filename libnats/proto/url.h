/* Server URLs: [scheme://][user[:password]@]host[:port], several with commas between. */
#ifndef NATS_PROTO_URL_H
#define NATS_PROTO_URL_H

#include <polynats/status.h>

#include <stdbool.h>

enum { NATS__URL_MAX = 2048, NATS__PORT_DEFAULT = 4222 };

typedef enum nats__scheme {
    NATS__SCHEME_NATS,
    NATS__SCHEME_TLS,
    NATS__SCHEME_WS,
    NATS__SCHEME_WSS
} nats__scheme;

/* Texts are owned by the url. user and password are percent-decoded secrets (base/secret.h), NULL
 * when absent; a user without a password is a token. path is kept as they are: it may have one in it.
 * host is without brackets. text: scheme://host:port, for people, no credentials. */
typedef struct nats__url {
    nats__scheme scheme;
    char *host;
    uint16_t port; /* ws: 80, wss: 443 by default */
    char *user;
    char *password;
    char *path; /* ws, wss: "/…", else NULL */
    char *text;
} nats__url;

const char *nats__scheme_name(nats__scheme scheme);
uint16_t nats__scheme_port(nats__scheme scheme); /* by default */
bool nats__scheme_is_websocket(nats__scheme scheme);
bool nats__scheme_is_secure(nats__scheme scheme); /* TLS is asked for by it */

/* Errors: INVALID (about "url"; never repeats a password), NO_MEMORY. *out is zeroed on failure. */
nats_status nats__url_parse(const char *text, size_t len, nats__url *out);
void nats__url_free(nats__url *url); /* wipes user, password and path */
/* Same scheme family, host (case ignored) and port. */
bool nats__url_same(const nats__url *a, const nats__url *b);

/* Take the next URL of a list with commas. *cursor: 0 to begin with. False after the last; empty
 * entries and blanks around entries are passed over. */
bool nats__url_list_next(const char *list, size_t *cursor, const char **text_out, size_t *len_out);

#endif
