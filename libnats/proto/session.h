/* The state machine of a connection: handshake, subscriptions, pings, reconnect. Public events
 * come out of nats__session_next(); control lines to send gather in `out`, in their order, and
 * are moved to the outbox by the owner (nats_proto, or the client under its locks) after each
 * call. No I/O, no locks, no clock.
 *
 * Order that matters: lines taken from `out` before an event CONNECTED or RECONNECTED is acted
 * on (SUBs) go before the gate of the outbox is opened. */
#ifndef NATS_PROTO_SESSION_H
#define NATS_PROTO_SESSION_H

#include <polynats/proto.h>

#include "base/buf.h"
#include "base/rng.h"
#include "proto/info.h"
#include "proto/options.h"
#include "proto/parser.h"
#include "proto/pool.h"

/* A subscription as the connection knows it. Embedded by its owner, who keeps it alive while it
 * is in the table. */
typedef struct nats__subrec {
    uint64_t sid;
    char *subject; /* owned by the record's owner; NUL-terminated */
    size_t subject_len;
    char *queue;   /* "" for none */
    size_t queue_len;
    uint64_t max;      /* 0: none */
    uint64_t received; /* in all */
    uint64_t base;     /* of them on earlier connections: the server counts from there */
    struct nats__subrec *next; /* in the table, in the order in which they came */
    struct nats__subrec *prev;
} nats__subrec;

typedef struct nats__session_event {
    int32_t type; /* NATS_PROTO_… */
    nats_status status;
    int32_t kind;        /* NATS_KIND_…: ERROR, DISCONNECTED, CLOSED */
    bool recoverable;
    bool of_reply;       /* ERROR: the subject is the reply of the publish that is refused */
    bool sub_done;       /* MSG: its subscription's last; ERROR: it was refused. The record is out
                          * of the table */
    uint64_t sid;
    nats__subrec *sub;   /* MSG; also ERROR when a permissions violation names a subscription */
    nats_msg *msg;       /* MSG: owned by the taker */
    uint64_t token;      /* PONG */
    int64_t rtt_ns;
    uint64_t mark;       /* PONG: as given to nats__session_ping() or nats__session_mark() */
    const char *text;    /* NUL-terminated, borrowed until the next event */
    const char *url;     /* DISCONNECTED: of the server that was lost; else NULL */
    const char *subject; /* ERROR: of a permissions violation, NUL-terminated; "" if none */
} nats__session_event;

typedef struct nats__session nats__session;

/* options and urls are copied. */
nats_status nats__session_new(const char *urls, const nats_options *options, const void *seed,
                              size_t seed_len, nats__session **out);
void nats__session_free(nats__session *session);

/* The control lines to send; the owner takes and clears them. */
nats__buf *nats__session_out(nats__session *session);
/* The parser: reserve, read and commit go straight to it. After a commit, take events. */
nats__parser *nats__session_parser(nats__session *session);
/* Bytes were handed in of which no event has come yet. */
bool nats__session_has_unread(const nats__session *session);
const nats_options *nats__session_options(const nats__session *session);
nats__pool *nats__session_pool(nats__session *session);
nats__rng *nats__session_rng(nats__session *session);

nats_status nats__session_start(nats__session *session, int64_t now_ns);
nats_status nats__session_transport_up(nats__session *session, int64_t now_ns);
nats_status nats__session_upgraded(nats__session *session, int64_t now_ns);
nats_status nats__session_secured(nats__session *session, int64_t now_ns);
nats_status nats__session_sign(nats__session *session, const void *signature, size_t signature_len,
                               const char *public_key, const char *jwt, int64_t now_ns);
/* What goes into CONNECT in place of the credentials of URL and options; NULL: none. */
typedef struct nats__credentials {
    const char *user;
    const char *password;
    const char *token;
    const char *jwt;
    const char *public_key;
    const void *signature; /* raw */
    size_t signature_len;
} nats__credentials;
enum {
    NATS__SIGNATURE_MAX = 1024,      /* Ed25519 has 64 bytes; room for what may follow it */
    NATS__CREDENTIAL_MAX = 64 * 1024 /* of each text: what the options take */
};
/* May they be put into JSON? INVALID names the one that may not. */
nats_status nats__credentials_check(const nats__credentials *given);
nats_status nats__session_credentials(nats__session *session, const nats__credentials *given,
                                      int64_t now_ns);
/* The attempt, or the connection, failed (also at EOF), and not by an -ERR. Fine in any state after
 * start. */
void nats__session_failed(nats__session *session, nats_status status, const char *text,
                          int64_t now_ns);
/* The same, for want of an answer within connect_timeout. */
void nats__session_late(nats__session *session, int64_t now_ns);
/* Drop the connection and dial the next server at once. */
void nats__session_reconnect(nats__session *session, int64_t now_ns);
void nats__session_close(nats__session *session);

/* The next event, parsing as needed. False when there is none now. */
bool nats__session_next(nats__session *session, int64_t now_ns, nats__session_event *out);
/* What the server waits for (CONNECT, PONG) goes to `out` before events are taken: parses as far as
 * the next event, and leaves that for nats__session_next(). */
void nats__session_answer(nats__session *session, int64_t now_ns);

int64_t nats__session_deadline_ns(const nats__session *session);
void nats__session_tick(nats__session *session, int64_t now_ns);

/* Take `rec` into the table (rec->sid 0: the next free one; else that one, INVALID when in use)
 * and, when connected, write its SUB. All but sid, received and base is set by the caller. INVALID
 * also for a max that no server counts to. */
nats_status nats__session_subscribe(nats__session *session, nats__subrec *rec);
/* after 0, or already reached: out of the table (*done_out true), UNSUB; else rec->max = after,
 * UNSUB after. */
nats_status nats__session_unsubscribe(nats__session *session, nats__subrec *rec, uint64_t after,
                                      bool *done_out);
/* Out of the table without a word to the server. */
void nats__session_forget(nats__session *session, nats__subrec *rec);
/* An UNSUB could not be written: it is, when a message tells that the server goes on. */
void nats__session_owe_unsub(nats__session *session);
nats__subrec *nats__session_find(nats__session *session, uint64_t sid);
/* Call fn for every record; it may free the record if the session is not used any more but to be
 * freed. */
void nats__session_each_sub(nats__session *session, void (*fn)(nats__subrec *rec, void *context),
                            void *context);
size_t nats__session_sub_count(const nats__session *session);

/* Write a PING; its PONG comes as an event with this token and mark. DISCONNECTED when not
 * connected. */
nats_status nats__session_ping(nats__session *session, int64_t now_ns, uint64_t mark,
                               uint64_t *token_out);

/* The mark of keep-alive pings from now on: how many publishes come before them. 0 if never set. */
void nats__session_mark(nats__session *session, uint64_t mark);
/* While held, PONGs are owed and not written, for those written before still wait to be sent. Let
 * go, one is written if any is owed: the server takes one for an answer to all. */
void nats__session_hold_pongs(nats__session *session, bool hold);

/* Every server was tried once, and none has ever been connected to. */
bool nats__session_first_round_over(const nats__session *session);
/* TLS was asked for: by the URL, by an option, or because it was up once before: nothing goes in
 * clear. */
bool nats__session_wants_tls(const nats__session *session);
/* A signature of the nonce will be asked for before CONNECT. */
void nats__session_expect_signature(nats__session *session, bool expect);

int32_t nats__session_state(const nats__session *session);
/* Borrowed; NULL before the first. */
const nats_info *nats__session_info(const nats__session *session);
int32_t nats__session_pings_out(const nats__session *session);
/* Payload with headers that may be published now: the option and the server's, whichever is
 * smaller. Before the first INFO, the default. */
size_t nats__session_max_payload(const nats__session *session);
/* A server may answer on this subscription: what it says by itself may be larger than max_payload. */
void nats__session_expect_answers(nats__session *session, uint64_t sid);
/* Messages that came for a sid that is not in the table (they were under way when it was
 * removed). */
uint64_t nats__session_stray_msgs(const nats__session *session);
/* As nats_client_new_inbox(). */
nats_status nats__session_new_inbox(nats__session *session, char *buffer, size_t size,
                                    size_t *len_out);
/* When the transport asked for last must be connected: also the deadline's business. */
int64_t nats__session_attempt_deadline_ns(const nats__session *session);

#endif
