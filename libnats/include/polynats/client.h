/* A client: what a script holds of a connection to NATS.
 *
 * nats_connect() makes a connection and its first client; nats_client_share() makes more clients
 * on the same connection, each with its own subscriptions, queue and events. The connection ends
 * with its last client. Core NATS delivers at most once: what each call promises is in
 * docs/delivery.md.
 *
 *     nats_client *client;
 *     if (nats_connect("nats://127.0.0.1:4222", NULL, &client) != NATS_OK) { … }
 *     nats_client_publish(client, "greet.joe", NATS_Z, "hello", 5);
 *     nats_client_close(client);
 *     nats_client_free(client);
 *
 * Threads: any number may use a client at once. Only nats_client_free() must be the last call.
 * Times: *_ms are milliseconds; timeout_ms and wait_ms take 0 (do not wait) and -1 (for ever;
 * for requests, flush, rtt and drain: the client's default). Texts: a pointer and a length in
 * bytes, or NATS_Z for "up to the NUL". Errors that any call may give: CLOSED after close,
 * FORKED in a child of fork(), INVALID for a bad argument (nats_last_about() names it; NULL where
 * it is not said to be fine is one, and what returns no status gives 0, "" or NULL then),
 * NO_MEMORY, INTERRUPTED when a signal came (option `interruptible`) or credentials are wanted
 * (option `credentials_hook`). */
#ifndef POLYNATS_CLIENT_H
#define POLYNATS_CLIENT_H

#include "event.h"
#include "future.h"
#include "headers.h"
#include "info.h"
#include "options.h"
#include "sub.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_client nats_client;

/* States of a client, as nats_client_status() tells them. */
enum {
    NATS_CLIENT_CONNECTED = 1,
    NATS_CLIENT_RECONNECTING = 2, /* the connection is lost and being made again */
    NATS_CLIENT_DRAINING = 3,
    NATS_CLIENT_CLOSED = 4
};

/* ---- life ---- */

/* Connect, and return when the server has answered the first PING.
 * url: one URL or several with commas between: [nats://][user:pass@|token@]host[:port], IPv6 in
 * brackets. NULL or nothing but blanks: $NATS_URL, else nats://127.0.0.1:4222. options: NULL for
 * the defaults; copied.
 * client_out: owned, free with nats_client_free(). Each server is tried once; all that together
 * takes at most the option connect_timeout. With the option retry_on_connect it succeeds also when
 * none of them could be reached: the client is RECONNECTING then, and goes on.
 * Errors: INVALID, TIMEOUT, IO, DISCONNECTED (the server
 * hung up), AUTH, PROTOCOL, LIMIT (the server is full), TLS, NOT_SUPPORTED (it needs
 * TLS, or ws_compression is set, in a build without it), SERVER, NO_MEMORY,
 * INTERRUPTED: of the last server tried. */
NATS_API nats_status nats_connect(const char *url, const nats_options *options,
                                  nats_client **client_out);

/* Begin to connect, and do not wait: for event loops. client_out and future_out: owned. The client
 * can be used at once, as one whose connection is lost; nats_client_fd() and
 * nats_client_process() move it. The future ends when the server has answered the first PING, or
 * fails as nats_connect() does, and then the client is closed. Errors: INVALID, IO, NO_MEMORY, with
 * nothing to free. */
NATS_API nats_status nats_connect_start(const char *url, const nats_options *options,
                                        nats_client **client_out, nats_future **future_out);

/* Another client on the same connection, which lives until its last client is closed.
 * client_out: owned, free with nats_client_free(). Errors: CLOSED, FORKED, NO_MEMORY. */
NATS_API nats_status nats_client_share(nats_client *client, nats_client **client_out);

/* End this client: its subscriptions and open requests end, its blocked calls return CLOSED.
 * Messages that had arrived and were not taken are dropped: nats_client_drain() keeps them. The
 * last client of a connection waits at most 2 s until the server has confirmed what was published,
 * then closes the connection; while there is none, what waits in the reconnect buffer is lost (the
 * event CLOSED tells how many). Closing twice is fine. Errors: FORKED. */
NATS_API nats_status nats_client_close(nats_client *client);

/* The loss-free way to stop: the server is told to send no more, what it had sent before is
 * received, what was published is flushed. If no message waits then, the client is closed. Else
 * it goes on draining: messages can be taken and answered as ever, nothing can be subscribed,
 * and the first get() or next(), of the client or of a subscription that has ended, that finds all
 * of them taken closes it and returns CLOSED; nats_client_close() ends it earlier. timeout_ms: -1
 * for the option drain_timeout. Errors: TIMEOUT (not all was received or flushed in time) and
 * DISCONNECTED: the client is closed then, at once; INTERRUPTED: nothing has ended yet, call again
 * to go on; CLOSED, FORKED. */
NATS_API nats_status nats_client_drain(nats_client *client, int64_t timeout_ms);

/* Begin to drain, and do not wait: for event loops. The future ends when all that was under way is
 * here; then, when its end has been taken, messages can be, and nats_client_close(), or get() and
 * next() that find none left, end the client. When it fails (TIMEOUT, DISCONNECTED) the client is
 * closed at once. Cancelled: the subscriptions end, and what was under way may be missing.
 * future_out: owned. Errors: CLOSED, NO_MEMORY, LIMIT, FORKED. */
NATS_API nats_status nats_client_drain_start(nats_client *client, int64_t timeout_ms,
                                             nats_future **future_out);

/* Close if need be and free the handle. Handles of its subscriptions and futures stay valid until
 * they are freed themselves. NULL is fine; in a child of fork() it does nothing. */
NATS_API void nats_client_free(nats_client *client);

/* The same for who may not wait, as garbage collectors and finalizers: what must be waited for (what
 * was published is confirmed first, for at most two seconds) happens in a thread of its own. The end
 * of the process waits for it. NULL is fine; in a child of fork() it does nothing. */
NATS_API void nats_client_forget(nats_client *client);

/* Drop the connection, or the attempt at one, and dial the next server at once, whatever its
 * back-off: after a change of network, say, or of credentials (ADR-40). It does not wait: the events
 * disconnected and reconnected tell, and nats_client_flush() waits for it. Subscriptions are made
 * again, publishes that were not written go out then, open requests fail with DISCONNECTED: as
 * after any loss. Errors: INVALID (option reconnect is off), CLOSED, FORKED. */
NATS_API nats_status nats_client_reconnect(nats_client *client);

/* ---- publish ---- */

/* Publish one message. NATS_OK: the bytes were copied into the connection's buffer, and go out
 * at once or with the burst they are part of; while the connection is lost they wait for it
 * (option reconnect_buffer). It waits only when the server does not keep up, at most the option
 * write_deadline, counted from when it began to wait. When the server has not taken one byte for
 * that long, the connection is given up (event DISCONNECTED, status TIMEOUT) and made again; then
 * messages, also one that waits just then, go to the reconnect buffer. On an error the message was
 * not accepted. Errors: INVALID, MAX_PAYLOAD, TIMEOUT (the write deadline), LIMIT (the reconnect
 * buffer is full), CLOSED (also when the connection was given up for good), INTERRUPTED, NO_MEMORY,
 * FORKED. */
NATS_API nats_status nats_client_publish(nats_client *client, const char *subject,
                                         size_t subject_len, const void *data, size_t data_len);

/* The same with a reply subject (NULL: none) and headers (NULL: none; copied). Errors: as
 * nats_client_publish(); NOT_SUPPORTED when there are headers and the server takes none. */
NATS_API nats_status nats_client_publish_with(nats_client *client, const char *subject,
                                              size_t subject_len, const char *reply,
                                              size_t reply_len, const nats_headers *headers,
                                              const void *data, size_t data_len);

/* Publish many payloads to one subject in one call, in order. datas and data_lens: count entries;
 * the payloads are copied. *published_out (may be NULL): how many were accepted; on an error the
 * rest was not. Errors: as nats_client_publish(). */
NATS_API nats_status nats_client_publish_many(nats_client *client, const char *subject,
                                              size_t subject_len, const void *const *datas,
                                              const size_t *data_lens, size_t count,
                                              size_t *published_out);

/* Answer a message that asked for it. Errors: INVALID when it has no reply subject; as publish. */
NATS_API nats_status nats_client_respond(nats_client *client, const nats_msg *msg,
                                         const nats_headers *headers, const void *data,
                                         size_t data_len);

/* Answer the event `credentials` (option ask_credentials): what CONNECT is to hold, in place of the
 * options and the URL. All are NULL where they are not used: user and password, or token, or seed
 * (an nkey's; the nonce is signed with it), or jwt with seed, or jwt alone; signature: raw bytes
 * (signature_len of them) by a signer of your own, with jwt or public_key. All are copied, and
 * wiped when they have been sent. What is not answered within connect_timeout is a failed attempt,
 * and the event comes again with the next one. With credentials_hook an answer that comes too late
 * is dropped, and OK: the question comes again. Errors: INVALID (nothing is asked for now; the
 * signature is of an earlier attempt's nonce; or the seed is none: then answer again), CLOSED,
 * FORKED, NO_MEMORY, NOT_SUPPORTED (a seed, in a build without OpenSSL). */
NATS_API nats_status nats_client_credentials(nats_client *client, const char *user,
                                             const char *password, const char *token,
                                             const char *jwt, const char *seed,
                                             const char *public_key, const void *signature,
                                             size_t signature_len);

/* Take the question for credentials (option credentials_hook): the event `credentials`, as above,
 * which is in no queue then. *event_out: owned; NULL when there is none, or somebody took it. For
 * programs, and above all bindings, that have a function to answer it: while there is a question,
 * calls that wait on this connection return INTERRUPTED (whatever the option `interruptible` says),
 * and nats_client_fd() is readable. Whose call was interrupted takes the question, answers with
 * nats_client_credentials(), and calls again. Connect with nats_connect_start(), and wait for its
 * future. Errors: CLOSED, FORKED. */
NATS_API nats_status nats_client_question(nats_client *client, nats_event **event_out);

/* Write what is buffered and wait until the server has processed all that this connection sent
 * before: a PONG for a PING written after it. While the connection is lost it waits for the next
 * one. timeout_ms: -1 for the option request_timeout. Errors: TIMEOUT, DISCONNECTED (lost before
 * the PONG: what had arrived is not known), CLOSED, INTERRUPTED. */
NATS_API nats_status nats_client_flush(nats_client *client, int64_t timeout_ms);

/* The same without waiting, for event loops: the future ends with the PONG. future_out: owned.
 * Errors: CLOSED, NO_MEMORY, LIMIT, FORKED; TIMEOUT, DISCONNECTED and CLOSED also from the
 * future. */
NATS_API nats_status nats_client_flush_start(nats_client *client, int64_t timeout_ms,
                                             nats_future **future_out);

/* ---- subscribe and receive ---- */

/* Subscribe to a pattern. queue: NULL or "" for none. max: end after that many messages, 0 for
 * no end; at most 999999999, for servers count no further. sub_out: owned, free with
 * nats_sub_free(); NULL when the client's get() and the sid are enough. NATS_OK does not mean
 * that the server allows it: a refusal comes as an event (flush first to know). While the
 * connection is lost, the server is told when it is back.
 * Errors: INVALID, CLOSED (also while draining), TIMEOUT (write_deadline: the server takes
 * nothing), INTERRUPTED, NO_MEMORY, FORKED. */
NATS_API nats_status nats_client_subscribe(nats_client *client, const char *subject,
                                           size_t subject_len, const char *queue, size_t queue_len,
                                           uint64_t max, nats_sub **sub_out);

/* The same with what nats_sub_set_limits() and nats_sub_set_mode() would change afterwards: here
 * it holds from the first message on. pending_msgs, pending_bytes: how much may wait, 0 for the
 * client's options of these names, -1 for no limit. mode: NATS_SUB_… . Errors: as
 * nats_client_subscribe(). */
NATS_API nats_status nats_client_subscribe_with(nats_client *client, const char *subject,
                                                size_t subject_len, const char *queue,
                                                size_t queue_len, uint64_t max,
                                                int64_t pending_msgs, int64_t pending_bytes,
                                                int32_t mode, nats_sub **sub_out);

/* End a subscription by its sid, as nats_sub_unsubscribe(). Errors: INVALID when this client has
 * none such (one that has ended is none), CLOSED, FORKED, and as there. */
NATS_API nats_status nats_client_unsubscribe(nats_client *client, uint64_t sid, uint64_t after);

/* End all of this client's subscriptions to exactly this subject, as nats_sub_unsubscribe().
 * *count_out (may be NULL): how many; none is no error. It looks at each subscription of the
 * client: with tens of thousands of them, end them by their sids. Errors: INVALID, CLOSED,
 * FORKED, and as there. */
NATS_API nats_status nats_client_unsubscribe_subject(nats_client *client, const char *subject,
                                                     size_t subject_len, uint64_t after,
                                                     size_t *count_out);

/* Take everything that has arrived for this client's subscriptions, in the order of arrival, at
 * most max; wait for the first one if need be. batch: room for max pointers, filled with
 * *count_out owned messages: nats_msg_free_many(). NATS_OK with *count_out = 0 when nothing came.
 * Errors: CLOSED (also at the end of a drain), INTERRUPTED, FORKED. */
NATS_API nats_status nats_client_get(nats_client *client, size_t max, int64_t wait_ms,
                                     nats_msg **batch, size_t *count_out);

/* The same for subscriptions in the mode NATS_SUB_CALLBACK: the sid of each message tells whom
 * to call. Errors: as nats_client_get(). */
NATS_API nats_status nats_client_get_callbacks(nats_client *client, size_t max, int64_t wait_ms,
                                               nats_msg **batch, size_t *count_out);

/* Make a call on this client that waits in get, get_callbacks or next_event return empty, now
 * or, when none waits, the next one that would wait. Any thread; not from a signal handler.
 * Errors: FORKED. */
NATS_API nats_status nats_client_wake(nats_client *client);

/* ---- request ---- */

/* Send a request and wait for its reply. headers: NULL for none. timeout_ms: -1 for the option
 * request_timeout. reply_out: owned. Errors: TIMEOUT, NO_RESPONDERS (at once, when nobody
 * listens), PERMISSION (the server does not let us ask there, or get the reply), DISCONNECTED,
 * CLOSED, INTERRUPTED, LIMIT (1,048,576 requests are open), and as nats_client_publish_with(). */
NATS_API nats_status nats_client_request(nats_client *client, const char *subject,
                                         size_t subject_len, const nats_headers *headers,
                                         const void *data, size_t data_len, int64_t timeout_ms,
                                         nats_msg **reply_out);

/* Send a request and do not wait. Arguments as for nats_client_request(). future_out: owned, free
 * with nats_future_free(). Errors: LIMIT (1,048,576 requests are open), and as
 * nats_client_publish_with(); those of the request itself come from the future. */
NATS_API nats_status nats_client_request_start(nats_client *client, const char *subject,
                                               size_t subject_len, const nats_headers *headers,
                                               const void *data, size_t data_len,
                                               int64_t timeout_ms, nats_future **future_out);

/* Send a request that several may answer (ADR-47). It ends after max replies (0: no maximum), when
 * stall_ms passed since the last one (0: no stall limit; it starts with the first reply), after
 * timeout_ms in all, at a reply with an empty payload if sentinel is not 0, or at a status reply.
 * Take the replies with nats_future_wait(). That the time is up is the normal end, not an error;
 * nobody there at all is NO_RESPONDERS. Replies that wait are bounded as a subscription's messages
 * are, by the options pending_msgs and pending_bytes: what comes over them is dropped and counted
 * (towards max, too), with one slow_consumer event, whose subject is the request's, until they are
 * down to half. future_out: owned, free with nats_future_free(). Errors: as
 * nats_client_request_start(); INVALID for a negative stall_ms. */
NATS_API nats_status nats_client_request_many(nats_client *client, const char *subject,
                                              size_t subject_len, const nats_headers *headers,
                                              const void *data, size_t data_len, size_t max,
                                              int64_t stall_ms, int64_t timeout_ms,
                                              int32_t sentinel, nats_future **future_out);

/* Write a new, unique inbox subject to buffer, with a NUL. *len_out (may be NULL): its length
 * without it. Errors: INVALID when size is too small (64 is enough unless a long inbox_prefix is
 * set), CLOSED, FORKED. */
NATS_API nats_status nats_client_new_inbox(nats_client *client, char *buffer, size_t size,
                                           size_t *len_out);

/* ---- what it knows ---- */

/* NATS_CLIENT_… . Any handle, also a closed one; CLOSED in a child of fork(). */
NATS_API int32_t nats_client_status(nats_client *client);

/* The time for a PING and its PONG, in nanoseconds: a flush that is timed. Errors: as
 * nats_client_flush(). */
NATS_API nats_status nats_client_rtt(nats_client *client, int64_t timeout_ms, int64_t *rtt_ns_out);

/* The INFO that came last; after a loss it is still that of the server before. A closed client
 * has it too. info_out: owned, free with nats_info_free(). Errors: NO_MEMORY, FORKED. */
NATS_API nats_status nats_client_server_info(nats_client *client, nats_info **info_out);

/* What this client knows of its connection, at this moment, as a snapshot that is read as an INFO
 * is: status ("connected", "reconnecting", "draining", "closed"), url (of the server in use or being
 * tried, without credentials), server_id, server_name, version, cluster and client_id (as that
 * server told; "" and 0 when not), tls (a bool), tls_version, tls_cipher, tls_resumed, last_error
 * and last_error_code (of the connection's last error: "" and "OK" when there was none). A later
 * version may have more. A closed client has it too. info_out: owned, free with nats_info_free().
 * Errors: NO_MEMORY, FORKED. */
NATS_API nats_status nats_client_info(nats_client *client, nats_info **info_out);

/* Bytes that one message may have, headers counted: the smaller of the server's max_payload and
 * the option's. 0 in a child of fork(). */
NATS_API int64_t nats_client_max_payload(nats_client *client);

/* What this client uses for an option that is a number: a bool (0 or 1), a whole number or a time
 * in ms (nats_options_type()), as it was given to nats_connect() or by default. A closed client
 * tells too. Errors: INVALID (no such option, or a text), FORKED. */
NATS_API nats_status nats_client_option_int(nats_client *client, const char *name,
                                            int64_t *value_out);

/* Messages that wait in this client's subscriptions, of all modes. 0 in a child of fork(). */
NATS_API uint64_t nats_client_pending(nats_client *client);

/* Replies that wait in this client's futures, and ends of them that were not told yet: with many
 * futures, whether it is worth while to ask them. 0 in a child of fork(). */
NATS_API uint64_t nats_client_replies(nats_client *client);

/* Copy up to `count` counters of the connection to values, in the order of nats_stats_name().
 * Returns how many there are; 0 in a child of fork(). received = delivered + dropped + pending.
 * docs/delivery.md says what each counts. */
NATS_API size_t nats_client_stats(nats_client *client, uint64_t *values, size_t count);
/* The name of counter `index`, NULL past the last. Lives for ever; the order never changes. */
NATS_API const char *nats_stats_name(size_t index);

/* Take the oldest event. *event_out: owned, free with nats_event_free(); NULL when none came in
 * wait_ms. A closed client still gives the events it had. Errors: CLOSED (when it has no more),
 * INTERRUPTED, FORKED. */
NATS_API nats_status nats_client_next_event(nats_client *client, int64_t wait_ms,
                                            nats_event **event_out);

/* ---- foreign event loops ---- */

/* A descriptor that polls readable when nats_client_process() has something to do or get(),
 * events or futures have something to give. It belongs to the client: do not read, write or
 * close it. *fd_out stays the same over reconnects.
 * Messages keep it readable until they are taken. An event, a reply or the end of a request makes
 * it readable until it is taken or nats_client_process() is called, so that what a program does
 * not care for lets it sleep; taking one makes it readable again for those that are left. The
 * event CONNECTED of nats_connect() does not. Errors: IO, CLOSED. */
NATS_API nats_status nats_client_fd(nats_client *client, int32_t *fd_out);

/* How an event loop uses a client: flags of nats_client_fd_mode(). */
enum {
    /* Messages, too, make the descriptor readable only when they come, and until the next
     * nats_client_process(): for loops that keep account of who waits for messages, and look for
     * them at each turn. */
    NATS_FD_NEWS_ONLY = 1,
    /* After each publish the program calls nats_client_process() soon, once for all of a turn: what
     * it publishes after the first until then is written together. Of the whole connection; it
     * matters only without a keeper. */
    NATS_FD_WRITES_IN_TURNS = 2
};

/* Set the mode; 0 at first. Errors: INVALID, CLOSED, FORKED. */
NATS_API nats_status nats_client_fd_mode(nats_client *client, int32_t flags);

/* Do what is due, without waiting: write, read, answer pings, reconnect, end requests whose time
 * is up. Where another thread is at it, only the last. Then take, with a wait of 0: messages,
 * events, futures. Errors: CLOSED, FORKED. */
NATS_API nats_status nats_client_process(nats_client *client);

/* In how many ms nats_client_process() is due even if the descriptor stays quiet; 0: now; -1:
 * never. */
NATS_API int64_t nats_client_deadline_ms(nats_client *client);

#ifdef __cplusplus
}
#endif

#endif
