/* The NATS protocol without I/O: bring your own socket, loop and clock.
 *
 * A nats_proto is one connection's whole protocol: the pool of servers, the handshake, parsing,
 * keep-alive, reconnect with back-off, resubscription and the buffer of what is to be sent. It
 * opens no socket, starts no thread and asks no clock: bytes, times and random numbers are
 * handed in, and events and bytes are taken out. nats_client is built on the same parts.
 *
 *     nats_proto_start(p, now());                        // -> event DIAL
 *     for (;;) {
 *         while ((type = nats_proto_next_event(p)) != 0) {
 *             if (type == NATS_PROTO_DIAL) { open a socket; nats_proto_transport_up(p, now()); }
 *             if (type == NATS_PROTO_MSG) { msg = nats_proto_event_take_msg(p); … }
 *         }
 *         nats_proto_tx(p, &bytes, &len);                // send what there is,
 *         nats_proto_tx_done(p, sent, now());            // say how much of it went
 *         wait until readable, or nats_proto_deadline_ns(p);
 *         nats_proto_feed(p, buffer, n, now());          // or nats_proto_feed_eof()
 *         nats_proto_tick(p, now());
 *     }
 *
 * Times are nanoseconds of any clock that never goes back. Any split of the bytes is legal.
 * Threads: one thread at a time. A complete program: examples/c/own_socket.c. */
#ifndef POLYNATS_PROTO_H
#define POLYNATS_PROTO_H

#include "headers.h"
#include "info.h"
#include "kind.h"
#include "msg.h"
#include "options.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_proto nats_proto;

/* States. */
enum {
    NATS_PROTO_STATE_IDLE = 0,         /* before start */
    NATS_PROTO_STATE_WAITING = 1,      /* for the next server's turn, until the deadline */
    NATS_PROTO_STATE_DIALING = 2,      /* a transport was asked for */
    NATS_PROTO_STATE_UPGRADING = 3,    /* WebSocket upgrade asked for, before INFO */
    NATS_PROTO_STATE_WAITING_INFO = 4,
    NATS_PROTO_STATE_SECURING = 5,     /* TLS asked for */
    NATS_PROTO_STATE_SIGNING = 6,      /* a signature of the nonce asked for */
    NATS_PROTO_STATE_WAITING_PONG = 7, /* CONNECT and PING are sent */
    NATS_PROTO_STATE_CONNECTED = 8,
    NATS_PROTO_STATE_CLOSED = 9
};

/* Events. */
enum {
    NATS_PROTO_DIAL = 1,         /* open a transport, then transport_up or _failed */
    NATS_PROTO_UPGRADE_WANTED = 2, /* WebSocket, TLS below it if the scheme is wss: upgrade at the
                                    * path (event_text), then nats_proto_upgraded() */
    NATS_PROTO_TLS_WANTED = 3,   /* do the TLS handshake, then nats_proto_secured() */
    NATS_PROTO_SIGN_WANTED = 4,  /* sign the nonce (event_text), then nats_proto_sign() */
    NATS_PROTO_CONNECTED = 5,    /* the first time */
    NATS_PROTO_RECONNECTED = 6,
    NATS_PROTO_DISCONNECTED = 7, /* drop the transport; status, text, lost, unconfirmed */
    NATS_PROTO_CLOSED = 8,       /* the end; status, text */
    NATS_PROTO_MSG = 9,          /* take it with nats_proto_event_take_msg() */
    NATS_PROTO_PONG = 10,        /* token, rtt */
    NATS_PROTO_INFO = 11,        /* a later INFO */
    NATS_PROTO_DISCOVERED = 12,  /* text: URLs not known before, commas between */
    NATS_PROTO_LAME_DUCK = 13,
    NATS_PROTO_ERROR = 14,       /* -ERR, or an attempt that failed: status, text, recoverable */
    NATS_PROTO_STALE = 15,       /* too many pings without an answer; DISCONNECTED follows */
    NATS_PROTO_SUB_DONE = 16     /* a subscription is over: it has had its maximum, or was refused
                                  * (the ERROR comes before): sid */
};

/* urls: as for nats_connect() (but $NATS_URL is not looked at; NULL is the default URL).
 * options: NULL for the defaults. seed: random bytes, 16 or more, for server order, jitter and
 * inboxes; the same seed gives the same choices. proto_out: owned, free with nats_proto_free().
 * Errors: INVALID, LIMIT (too many servers), NO_MEMORY. */
NATS_API nats_status nats_proto_new(const char *urls, const nats_options *options,
                                    const void *seed, size_t seed_len, nats_proto **proto_out);
/* Free it in whatever state it is; nothing is said to the server, and the transport stays yours to
 * close. Messages that were taken live on. NULL is fine. */
NATS_API void nats_proto_free(nats_proto *proto);

/* ---- the transport ---- */

/* Begin: an event DIAL follows. Errors: INVALID when it was started before. */
NATS_API nats_status nats_proto_start(nats_proto *proto, int64_t now_ns);

/* The URL, without its credentials, of the server in use or being tried; at the event
 * DISCONNECTED, of the one that was lost. NUL-terminated, borrowed until the next event is taken,
 * as are the next two; "" before the first. */
NATS_API const char *nats_proto_url(const nats_proto *proto);
/* The scheme of the server in use or being tried: "nats", "tls", "ws", "wss" (also of ws:// when an
 * option asks for TLS); "" before the first. */
NATS_API const char *nats_proto_scheme(const nats_proto *proto);
/* Its host: a name or an address, IPv6 without the brackets; "" before the first. */
NATS_API const char *nats_proto_host(const nats_proto *proto);
/* Its port; 0 before the first. */
NATS_API int32_t nats_proto_port(const nats_proto *proto);

/* Answer DIAL: the transport is connected. Errors: INVALID when it was not asked for. */
NATS_API nats_status nats_proto_transport_up(nats_proto *proto, int64_t now_ns);
/* Answer UPGRADE_WANTED: from now on feed what is in the WebSocket frames. Errors: INVALID when it
 * was not asked for. */
NATS_API nats_status nats_proto_upgraded(nats_proto *proto, int64_t now_ns);
/* Answer TLS_WANTED: from now on feed what TLS gives you. Errors: INVALID when it was not asked
 * for. */
NATS_API nats_status nats_proto_secured(nats_proto *proto, int64_t now_ns);
/* The attempt, or the connection, failed. status: NATS_ERR_IO, TLS, TIMEOUT …; text (NULL for
 * none) is copied. Errors: INVALID when there is no transport. */
NATS_API nats_status nats_proto_transport_failed(nats_proto *proto, nats_status status,
                                                 const char *text, int64_t now_ns);
/* 1: a nonce in INFO is to be signed, so SIGN_WANTED comes before CONNECT. 0, as it begins: CONNECT
 * goes out without. Holds from the next INFO on. */
NATS_API void nats_proto_expect_signature(nats_proto *proto, int32_t expect);
/* Answer SIGN_WANTED with other credentials than those of URL and options. All are NULL where they
 * are not used: user and password, or token, or jwt, or public_key; signature: raw bytes. With one
 * of the options creds, nkey, jwt, ask_credentials and credentials_hook SIGN_WANTED comes at each
 * connect, with an empty text if the server sent no nonce: files are read, and nonces signed, by
 * the client only.
 * Errors: INVALID, NO_MEMORY. */
NATS_API nats_status nats_proto_credentials(nats_proto *proto, const char *user,
                                            const char *password, const char *token,
                                            const char *jwt, const char *public_key,
                                            const void *signature, size_t signature_len,
                                            int64_t now_ns);
/* Answer SIGN_WANTED. signature: raw bytes (they are sent in base64url); public_key or jwt as
 * the kind of credentials needs, the other NULL. Errors: INVALID, NO_MEMORY. */
NATS_API nats_status nats_proto_sign(nats_proto *proto, const void *signature,
                                     size_t signature_len, const char *public_key,
                                     const char *jwt, int64_t now_ns);

/* ---- bytes in ---- */

/* Hand in bytes; they are copied. Errors: INVALID without a transport, NO_MEMORY (nothing was
 * taken). What is wrong in the bytes themselves becomes the events ERROR (with the byte's
 * offset) and DISCONNECTED. */
NATS_API nats_status nats_proto_feed(nats_proto *proto, const void *data, size_t len,
                                     int64_t now_ns);
/* The same without the copy: room for *size_out bytes (1 or more) at *space_out, borrowed until the
 * commit or the next event. Errors: INVALID without a transport, NO_MEMORY. */
NATS_API nats_status nats_proto_reserve(nats_proto *proto, void **space_out, size_t *size_out);
/* len bytes were read into the room that was reserved; 0 is fine. Errors: INVALID when that is more
 * than the room, or without a transport. */
NATS_API nats_status nats_proto_commit(nats_proto *proto, size_t len, int64_t now_ns);
/* The transport was closed by the server. What was handed in before is read first. Errors:
 * INVALID without a transport. */
NATS_API nats_status nats_proto_feed_eof(nats_proto *proto, int64_t now_ns);

/* ---- events out ---- */

/* Go to the next event: its type, or 0 when there is none. What is asked below concerns the last
 * one taken. Bytes are parsed here, event by event. */
NATS_API int32_t nats_proto_next_event(nats_proto *proto);
/* MSG: the message, owned, once; else NULL. A message not taken is freed with the next event. */
NATS_API nats_msg *nats_proto_event_take_msg(nats_proto *proto);
/* DISCONNECTED, CLOSED, ERROR, STALE: why; NATS_OK for the other events. */
NATS_API nats_status nats_proto_event_status(const nats_proto *proto);
/* DISCONNECTED, CLOSED, ERROR, STALE: the reason in words; DISCOVERED: URLs; SIGN_WANTED: the
 * nonce. NUL-terminated, borrowed until the next event is taken; "" when there is none. */
NATS_API const char *nats_proto_event_text(const nats_proto *proto);
/* DISCONNECTED, CLOSED, ERROR: what the server meant by its -ERR, one of NATS_KIND_…;
 * NATS_KIND_NONE when there was none, and for the other events. */
NATS_API int32_t nats_proto_event_kind(const nats_proto *proto);
/* ERROR: 1 when the connection goes on. */
NATS_API int32_t nats_proto_event_recoverable(const nats_proto *proto);
/* MSG, SUB_DONE, and an ERROR that is about a subscription: its sid; else 0. */
NATS_API uint64_t nats_proto_event_sid(const nats_proto *proto);
/* PONG: the token of its ping; else 0. */
NATS_API uint64_t nats_proto_event_token(const nats_proto *proto);
/* PONG: the time from its ping to the PONG, by the times that you gave; else 0. */
NATS_API int64_t nats_proto_event_rtt_ns(const nats_proto *proto);
/* DISCONNECTED, CLOSED: publishes that certainly did not reach the server, as nats_event_lost().
 * ERROR: those that waited, and that the server does not take: over its max_payload, or with
 * headers that it does not know. */
NATS_API uint64_t nats_proto_event_lost(const nats_proto *proto);
/* DISCONNECTED, CLOSED: publishes that were written and may have arrived or not, as
 * nats_event_unconfirmed(). */
NATS_API uint64_t nats_proto_event_unconfirmed(const nats_proto *proto);

/* ---- bytes out ---- */

/* The next bytes to send: *data_out borrowed until tx_done; *len_out 0 when there is nothing. What the
 * server waits for (CONNECT, PONG) is among them as soon as its bytes were fed, before the events are
 * taken; behind an event or a message that waits, once that was taken. */
NATS_API void nats_proto_tx(nats_proto *proto, const void **data_out, size_t *len_out);
/* len of them went. Errors: INVALID when that is more than there were. */
NATS_API nats_status nats_proto_tx_done(nats_proto *proto, size_t len, int64_t now_ns);
/* Bytes that wait to be sent, whether or not they can be now, as of the last event or tx. */
NATS_API size_t nats_proto_tx_pending(const nats_proto *proto);

/* ---- time ---- */

/* When nats_proto_tick() is due; INT64_MAX for never. */
NATS_API int64_t nats_proto_deadline_ns(const nats_proto *proto);
/* Do what is due: pings, stale detection, the end of an attempt, the next attempt. */
NATS_API void nats_proto_tick(nats_proto *proto, int64_t now_ns);

/* ---- verbs ---- */

/* As nats_client_publish_with(), into the buffer; it never waits. While connected the buffer has no
 * limit: when the transport takes nothing, look at nats_proto_tx_pending() and stop. Errors:
 * INVALID, MAX_PAYLOAD, LIMIT (not connected, and the buffer is full: option reconnect_buffer),
 * NOT_SUPPORTED (headers, and the server takes none), CLOSED, NO_MEMORY. */
NATS_API nats_status nats_proto_publish(nats_proto *proto, const char *subject, size_t subject_len,
                                        const char *reply, size_t reply_len,
                                        const nats_headers *headers, const void *data,
                                        size_t data_len);
/* sid: one of your own choice that is not in use, or 0 for the next free one. *sid_out (may be
 * NULL). Subscriptions are kept over reconnects; one that the server refuses is over: an ERROR with
 * its sid, then SUB_DONE. Errors: INVALID, CLOSED, NO_MEMORY. */
NATS_API nats_status nats_proto_subscribe(nats_proto *proto, const char *subject,
                                          size_t subject_len, const char *queue, size_t queue_len,
                                          uint64_t max, uint64_t sid, uint64_t *sid_out);
/* after: 0 now, else when that many have arrived in all, at most 999999999 as max is. Errors:
 * INVALID (no such sid), CLOSED. */
NATS_API nats_status nats_proto_unsubscribe(nats_proto *proto, uint64_t sid, uint64_t after);
/* Its PONG comes as an event with the same token (token_out may be NULL). Errors: DISCONNECTED
 * (not connected), CLOSED, LIMIT (too many are unanswered), NO_MEMORY. */
NATS_API nats_status nats_proto_ping(nats_proto *proto, int64_t now_ns, uint64_t *token_out);
/* The end: an event CLOSED follows, and what waits in tx may still be sent. Twice is fine. */
NATS_API void nats_proto_close(nats_proto *proto);
/* Drop the transport and make the connection again, at once. Errors: CLOSED, INVALID before
 * start. */
NATS_API nats_status nats_proto_reconnect(nats_proto *proto, int64_t now_ns);

/* ---- what it knows ---- */

/* What it waits for: one of NATS_PROTO_STATE_… . */
NATS_API int32_t nats_proto_state(const nats_proto *proto);
/* The last INFO. info_out: owned. Errors: DISCONNECTED before the first, NO_MEMORY. */
NATS_API nats_status nats_proto_server_info(const nats_proto *proto, nats_info **info_out);
/* Keep-alive pings without an answer. */
NATS_API int32_t nats_proto_pings_out(const nats_proto *proto);
/* Bytes handed in since the transport came up: the offsets that errors name count from here. */
NATS_API uint64_t nats_proto_offset(const nats_proto *proto);
/* A new inbox, as nats_client_new_inbox(). */
NATS_API nats_status nats_proto_new_inbox(nats_proto *proto, char *buffer, size_t size,
                                          size_t *len_out);

/* The pool. index: from 0. Returns the URL without credentials, borrowed until the pool changes,
 * or NULL past the last; *attempts_out (may be NULL): failed attempts since it last worked;
 * *discovered_out likewise. */
NATS_API const char *nats_proto_server_at(const nats_proto *proto, size_t index,
                                          int32_t *attempts_out, int32_t *discovered_out);
/* Add a server to the pool; adding one that is there is fine. Errors: INVALID (not a URL), LIMIT
 * (too many servers), NO_MEMORY. */
NATS_API nats_status nats_proto_server_add(nats_proto *proto, const char *url);
/* Take a server out of the pool; the one in use stays in use until it is lost. Errors: INVALID
 * (not a URL, or not in the pool), NO_MEMORY. */
NATS_API nats_status nats_proto_server_remove(nats_proto *proto, const char *url);

#ifdef __cplusplus
}
#endif

#endif
