/* The error of the calling thread's last failed call: status, text, what it was about.
 * The public readers are in api/status.c. */
#ifndef NATS_BASE_ERROR_H
#define NATS_BASE_ERROR_H

#include <polynats/status.h>

enum { NATS__ERROR_TEXT_MAX = 384, NATS__ERROR_ABOUT_MAX = 128 };

typedef struct nats__error {
    nats_status status;
    const void *owner; /* the connection it happened on, or NULL */
    int32_t code;      /* these two: what a server answered, 0: it was none of a server's */
    int32_t err_code;
    char text[NATS__ERROR_TEXT_MAX];
    char about[NATS__ERROR_ABOUT_MAX];
} nats__error;

/* This thread's record; never NULL. */
nats__error *nats__error_get(void);

/* Note a failure and return its status, so that a function can end with
 * `return nats__fail(NATS_ERR_INVALID, "subject", "subject is empty");`. about may be NULL.
 * Bytes that a terminal would act on (below blank, DEL) come out as '?'. Long texts are cut. */
nats_status nats__fail(nats_status status, const char *about, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same of an error that a server answered with: its code (404 …) and JetStream's err_code. */
nats_status nats__fail_server(nats_status status, int32_t code, int32_t err_code,
                              const char *about, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
