/* Status numbers and error texts.
 *
 * Every function that can fail returns a nats_status: NATS_OK (0) or one of the negative numbers
 * below. The numbers never change and are never reused; new ones are added at the end. What went
 * wrong in words, and what it was about, is kept for each thread until its next failing call.
 *
 *     if (nats_connect(url, NULL, &client) != NATS_OK) {
 *         fprintf(stderr, "%s\n", nats_last_error(NULL));
 *     }
 *
 * Threads: the error text belongs to the thread whose call failed; no lock is needed to read it.
 */
#ifndef POLYNATS_STATUS_H
#define POLYNATS_STATUS_H

#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t nats_status;

/* NATS_OK is 0 in cnats too, where it is an enumerator: when <nats/nats.h> was included first, that
 * one serves. When it is included afterwards, define POLYNATS_WITH_CNATS before this header. */
#if !defined(NATS_H_) && !defined(POLYNATS_WITH_CNATS)
enum { NATS_OK = 0 };
#endif

enum {
    NATS_ERR_TIMEOUT = -1,       /* the time given was up */
    NATS_ERR_NO_RESPONDERS = -2, /* nobody subscribes to the request's subject (status 503) */
    NATS_ERR_CLOSED = -3,        /* the handle, or what it belongs to, is closed */
    NATS_ERR_DISCONNECTED = -4,  /* the connection was lost before the answer came */
    NATS_ERR_AUTH = -5,          /* the server did not accept the credentials */
    NATS_ERR_PERMISSION = -6,    /* the server does not allow this subject */
    NATS_ERR_PROTOCOL = -7,      /* the server sent bytes that are not the NATS protocol */
    NATS_ERR_MAX_PAYLOAD = -8,   /* message with its headers is over the server's max_payload */
    NATS_ERR_SLOW_CONSUMER = -9, /* messages were dropped: a pending limit was reached */
    NATS_ERR_INVALID = -10,      /* an argument is wrong; the text names it */
    NATS_ERR_LIMIT = -11,        /* a limit was reached; the text names it */
    NATS_ERR_IO = -12,           /* the operating system refused: connect, read, write, resolve */
    NATS_ERR_TLS = -13,          /* TLS could not be agreed on */
    NATS_ERR_NO_MEMORY = -14,    /* memory could not be had; nothing was changed */
    NATS_ERR_FORKED = -15,       /* the handle was made before fork(): it belongs to the parent */
    NATS_ERR_NOT_SUPPORTED = -16, /* this server, or this build, cannot do it */
    NATS_ERR_SERVER = -17,       /* the server answered with an error of its own */
    NATS_ERR_INTERRUPTED = -18   /* a signal arrived while waiting (option `interruptible`) */
};

/* The name of a status without its prefix: "OK", "TIMEOUT", "NO_RESPONDERS" … "UNKNOWN" for a
 * number that is not in the list. Never NULL; lives for ever. Any thread. */
NATS_API const char *nats_status_name(nats_status status);

/* One line about a status in general, for when nothing more precise is known. Never NULL. */
NATS_API const char *nats_status_text(nats_status status);

/* The text of the calling thread's last failed call: one line, no newline at the end.
 * handle: NULL for the last failure of this thread whatever it was about, or a client to be told of
 * that client's last failure (this thread's last call on it, else the connection's last error).
 * Returns a text borrowed until this thread's next call that fails, or of this function; "" when
 * nothing failed yet. */
struct nats_client;
NATS_API const char *nats_last_error(const struct nats_client *client);

/* The status of the calling thread's last failed call; NATS_OK when nothing failed yet. */
NATS_API nats_status nats_last_status(void);

/* What the last failed call was about, in the words of the caller: the name of the argument, option, key
 * or limit that is at fault; or what a server refused, did not answer or does not have: the subject, stream
 * or consumer (the rule: docs/errors.md). Borrowed until this thread's next call that fails; "" when there is
 * nothing to name. */
NATS_API const char *nats_last_about(void);

/* The err_code of JetStream (10059: stream not found …; ADR-7) that the calling thread's last failed
 * call was answered with; 0 when it was no error of JetStream's. */
NATS_API int32_t nats_last_err_code(void);

/* The code besides, which is like HTTP's (404 …), also of a status message that ended a
 * subscription; 0 when there was none. */
NATS_API int32_t nats_last_code(void);

/* The server's own words for it, and nothing else ("stream not found"), which nats_last_error() has among
 * others. Borrowed until this thread's next call that fails; "" when the server said nothing. */
NATS_API const char *nats_last_description(void);

#ifdef __cplusplus
}
#endif

#endif
