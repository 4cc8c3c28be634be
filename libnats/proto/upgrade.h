/* The HTTP/1.1 request that makes a WebSocket of a connection, and the answer to it (RFC 6455,
 * section 4; RFC 7692 for permessage-deflate). Text in, text out. */
#ifndef NATS_PROTO_UPGRADE_H
#define NATS_PROTO_UPGRADE_H

#include "base/buf.h"
#include "proto/url.h"

enum {
    NATS__UPGRADE_NONCE = 16,            /* random bytes that the key is made of */
    NATS__UPGRADE_KEY_SIZE = 25,         /* them in base64 */
    NATS__UPGRADE_CHALLENGE_SIZE = 61,   /* the key and what the RFC puts behind it */
    NATS__UPGRADE_DIGEST = 20,           /* a SHA-1 */
    NATS__UPGRADE_ACCEPT_SIZE = 29,      /* it in base64 */
    NATS__UPGRADE_ANSWER_MAX = 16 * 1024 /* head of an answer: twice what proxies take and give */
};

typedef struct nats__upgrade {
    char key[NATS__UPGRADE_KEY_SIZE];
    char accept[NATS__UPGRADE_ACCEPT_SIZE]; /* what the server must say to it */
    bool offers_deflate;
    /* the answer */
    size_t scanned;    /* bytes of it that its end is not in */
    bool deflate;      /* agreed on */
    bool takes_over;   /* the server's messages build on those before them */
} nats__upgrade;

void nats__upgrade_init(nats__upgrade *upgrade, const uint8_t nonce[NATS__UPGRADE_NONCE],
                        bool offer_deflate);
/* The text whose SHA-1 shows that a server understood; NUL-terminated. */
void nats__upgrade_challenge(const nats__upgrade *upgrade, char out[NATS__UPGRADE_CHALLENGE_SIZE]);
void nats__upgrade_expect(nats__upgrade *upgrade, const uint8_t digest[NATS__UPGRADE_DIGEST]);

/* Lines "Name: value" with LF or CR LF between, as nats__upgrade_request() takes them. Errors:
 * INVALID (about ws_headers; the text never repeats a value). */
nats_status nats__upgrade_check_headers(const char *headers);
/* Append the request. headers: checked, NULL for none. False when memory is out. */
bool nats__upgrade_request(const nats__upgrade *upgrade, const nats__url *url, const char *headers,
                           nats__buf *out);

/* len bytes of the answer are there, from its beginning. *used_out: the bytes of its head, behind
 * which frames begin; 0: more must come. Errors: PROTOCOL (no WebSocket, or none that was asked
 * for), AUTH (the server, or a proxy, wants credentials in ws_headers). */
nats_status nats__upgrade_answer(nats__upgrade *upgrade, const char *data, size_t len,
                                 size_t *used_out);

#endif
