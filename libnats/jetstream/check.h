/* What the members of an object ask of each other. */
#ifndef NATS_JETSTREAM_CHECK_H
#define NATS_JETSTREAM_CHECK_H

#include "json/json.h"

#include <polynats/status.h>

/* Is all there that must be, and nothing that contradicts another? verb, path: for the words. Errors:
 * INVALID. */
nats_status nats__js_check(const char *verb, const char *path, const char *object,
                           const nats__json *given);
/* The same of some members, of which the others are not known yet: does one contradict another? */
nats_status nats__js_check_some(const char *verb, const char *path, const char *object,
                                const nats__json *given);
/* The same of all, where it matters what of them is new: what was there before was somebody else's. */
nats_status nats__js_check_new(const char *verb, const char *path, const char *object,
                               const nats__json *all, const nats__json *given);

#endif
