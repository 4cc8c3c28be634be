/* What the server means by an -ERR: finer than a status, for programs that do something else about
 * an account that is full than about a line that is too long.
 *
 *     if (nats_event_kind(event) == NATS_KIND_AUTH_EXPIRED) { fetch new credentials; }
 *
 * The numbers never change and are never reused; new ones are added at the end.
 * Threads: these are numbers and constant texts. */
#ifndef POLYNATS_KIND_H
#define POLYNATS_KIND_H

#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    NATS_KIND_NONE = 0,                /* no -ERR of the server is behind it */
    NATS_KIND_UNKNOWN = 1,             /* a text that this version does not know */
    NATS_KIND_PERMISSION = 2,          /* not allowed, and neither of the next two */
    NATS_KIND_PERMISSION_PUBLISH = 3,  /* a publish, or its reply subject, is not allowed */
    NATS_KIND_PERMISSION_SUBSCRIBE = 4, /* a subscription is not allowed, or no longer */
    NATS_KIND_AUTH_VIOLATION = 5,      /* the credentials were not accepted */
    NATS_KIND_AUTH_TIMEOUT = 6,        /* they came too late: the next attempt may do */
    NATS_KIND_AUTH_EXPIRED = 7,        /* their time is over: fresh ones may do */
    NATS_KIND_AUTH_REVOKED = 8,        /* they were taken back */
    NATS_KIND_MAX_CONNECTIONS = 9,     /* the server is full */
    NATS_KIND_MAX_ACCOUNT_CONNECTIONS = 10, /* the account is full */
    NATS_KIND_THROTTLED = 11,          /* too many connections at a time */
    NATS_KIND_MAX_CONTROL_LINE = 12,   /* a line is too long for the server */
    NATS_KIND_MAX_SUBSCRIPTIONS = 13,  /* one subscription too many */
    NATS_KIND_MAX_TOKENS = 14,         /* a subject with too many tokens */
    NATS_KIND_MAX_PAYLOAD = 15,        /* a message is too large */
    NATS_KIND_STALE = 16,              /* the server's pings were not answered */
    NATS_KIND_SHUTDOWN = 17,           /* the server ends, or closes the connection */
    NATS_KIND_SLOW_CONSUMER = 18,      /* this client reads too slowly */
    NATS_KIND_BAD_PROTOCOL = 19,       /* the server cannot read what came */
    NATS_KIND_WRONG_PORT = 20,         /* one for routes, gateways or leaf nodes */
    NATS_KIND_NO_HEADERS = 21,         /* the server takes no headers */
    NATS_KIND_VERSION = 22,            /* the server wants a newer client */
    NATS_KIND_TLS_REQUIRED = 23,       /* the server wants encryption */
    NATS_KIND_INVALID_SUBJECT = 24     /* of a publish or a subscription */
};

/* The name of a kind in lower case: "none", "auth_expired" … "unknown" also for a number that is
 * not in the list. Never NULL; lives for ever. Any thread. */
NATS_API const char *nats_kind_name(int32_t kind);

#ifdef __cplusplus
}
#endif

#endif
