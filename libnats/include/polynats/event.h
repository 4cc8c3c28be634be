/* Events: what happened to a connection, polled like messages.
 *
 *     nats_event *event;
 *     if (nats_client_next_event(client, 0, &event) == NATS_OK && event) {
 *         printf("%s: %s\n", nats_event_name(event), nats_event_text(event));
 *         nats_event_free(event);
 *     }
 *
 * Every client on a connection gets its own copy of a connection's events; what concerns one
 * subscription goes to its client. A client keeps 1,024 events and counts those it lost: the oldest
 * go, but connected, disconnected, reconnected, closed and what tells of losses only when there is
 * nothing else. While an event tells unread of an attempt to connect that failed, another one that
 * fails alike in the same outage adds none; the counter `errors` has them all.
 * Threads: an event does not change; any thread may read it, one frees it.
 */
#ifndef POLYNATS_EVENT_H
#define POLYNATS_EVENT_H

#include "kind.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_event nats_event;

enum {
    NATS_EVENT_CONNECTED = 1,    /* first connection made; url */
    NATS_EVENT_DISCONNECTED = 2, /* connection lost; url, status, kind, text, lost, unconfirmed */
    NATS_EVENT_RECONNECTED = 3,  /* connection made again; url */
    NATS_EVENT_CLOSED = 4,       /* closed, or given up: status, kind, text, lost, unconfirmed */
    NATS_EVENT_LAME_DUCK = 5,    /* the server is about to shut down; url */
    NATS_EVENT_DISCOVERED = 6,   /* the cluster told of new servers; text: their URLs; url */
    NATS_EVENT_ERROR = 7,        /* -ERR, or an attempt failed; status, kind, recoverable, text,
                                  * url, subject, sid, lost */
    NATS_EVENT_SLOW_CONSUMER = 8, /* a subscription began to drop; status, text, sid, subject */
    NATS_EVENT_STALE = 9,        /* pings go unanswered; a disconnected event follows; text, url */
    NATS_EVENT_CREDENTIALS = 10, /* credentials are wanted, soon: nats_client_credentials(); text:
                                  * the nonce to sign, or ""; url */
    NATS_EVENT_SERVER_CHANGED = 11, /* another server than before, or it says other things of itself:
                                    * text: what changed of server_id, version, cluster,
                                    * max_payload and headers (ADR-40); url */
    NATS_EVENT_TRACE = 12          /* a line of the protocol (option trace); text: "-> " and what was
                                    * sent, "<- " and what was received; url */
};

/* How much an event matters: what a log calls its level. */
enum {
    NATS_LEVEL_ERROR = 1,
    NATS_LEVEL_WARN = 2,
    NATS_LEVEL_INFO = 3,
    NATS_LEVEL_TRACE = 4
};

/* What happened: one of NATS_EVENT_… . A later version may have types that are not in your header:
 * pass them over, or print nats_event_name(). */
NATS_API int32_t nats_event_type(const nats_event *event);
/* The type in lower case: "connected", "slow_consumer", … Lives for ever. */
NATS_API const char *nats_event_name(const nats_event *event);
/* One of NATS_LEVEL_… : error, and closed for an error, are errors; disconnected, slow_consumer,
 * stale and lame_duck are warnings; trace is trace; what else there is, is information. 0 for
 * NULL. */
NATS_API int32_t nats_event_level(const nats_event *event);
/* "error", "warn", "info", "trace"; "" for a number that is none. Lives for ever. */
NATS_API const char *nats_level_name(int32_t level);
/* The event as one line of a log: its name, and all that it says; of a trace the text alone. */
NATS_API const char *nats_event_line(const nats_event *event);
/* NATS_OK, or the error it is about. */
NATS_API nats_status nats_event_status(const nats_event *event);
/* error, disconnected, closed: what the server meant by its -ERR, one of NATS_KIND_…;
 * NATS_KIND_NONE when there was none. A later version may have kinds that are not in your header: go
 * by the status then, or print nats_kind_name(). */
NATS_API int32_t nats_event_kind(const nats_event *event);
/* error: 1 when the connection goes on, or another attempt follows one that failed. */
NATS_API int32_t nats_event_recoverable(const nats_event *event);
/* One line for people; "" when the type says it all. NUL-terminated, borrowed from the event, as
 * are the other texts. */
NATS_API const char *nats_event_text(const nats_event *event);
/* The server's URL without its credentials, or "". */
NATS_API const char *nats_event_url(const nats_event *event);
/* The subject it is about, or "". */
NATS_API const char *nats_event_subject(const nats_event *event);
/* The subscription it is about, or 0. */
NATS_API uint64_t nats_event_sid(const nats_event *event);
/* disconnected, closed: publishes accepted by publish() that certainly did not reach the server.
 * error: those that waited for a connection, and that this server does not take. */
NATS_API uint64_t nats_event_lost(const nats_event *event);
/* disconnected, closed: publishes handed to the operating system of which the server had not yet
 * confirmed the arrival by a PONG: they may have arrived, or not. */
NATS_API uint64_t nats_event_unconfirmed(const nats_event *event);
/* When it happened, in ns of the system's monotonic clock. */
NATS_API int64_t nats_event_time_ns(const nats_event *event);

/* Free the event, and with it all texts borrowed from it. NULL is fine. */
NATS_API void nats_event_free(nats_event *event);

#ifdef __cplusplus
}
#endif

#endif
