/* The error of the calling thread's last failed call: status, text, what it was about (by the rule of
 * docs/errors.md), and what a server said. The public readers are in api/status.c. */
#ifndef NATS_BASE_ERROR_H
#define NATS_BASE_ERROR_H

#include <polynats/status.h>

#include <stddef.h>

enum {
    NATS__ERROR_TEXT_MAX = 384,
    NATS__ERROR_ABOUT_MAX = 128,
    NATS__ERROR_SAID_MAX = 256 /* of a server's own words: nats-server's longest have some 100 bytes */
};

typedef struct nats__error {
    nats_status status;
    const void *owner; /* the connection it happened on, or NULL */
    int32_t code;      /* these two: what a server answered, 0: it was none of a server's */
    int32_t err_code;
    char text[NATS__ERROR_TEXT_MAX];
    char about[NATS__ERROR_ABOUT_MAX];
    char description[NATS__ERROR_SAID_MAX]; /* a server's own words; "": none */
} nats__error;

/* What a server answered with. */
typedef struct nats__said {
    int32_t code;            /* 404 …; 0: none */
    int32_t err_code;        /* JetStream's; 0: none */
    const char *description; /* NULL: none. It need not end with a NUL */
    size_t len;
} nats__said;

/* This thread's record; never NULL. */
nats__error *nats__error_get(void);

/* Note a failure and return its status, so that a function can end with
 * `return nats__fail(NATS_ERR_INVALID, "subject", "subject is empty");`. about may be NULL.
 * Bytes that a terminal would act on (below blank, DEL) come out as '?'. Long texts are cut. */
nats_status nats__fail(nats_status status, const char *about, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same of an error that a server answered with. */
nats_status nats__fail_server(nats_status status, const nats__said *said, const char *about,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The usual words of it, with the status SERVER: "<what>: <description> (<err_code, or else code>)". */
nats_status nats__fail_said(const nats__said *said, const char *about, const char *what);

#endif
