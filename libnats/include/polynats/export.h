/* Marks what the library exports. Everything else is hidden. */
#ifndef POLYNATS_EXPORT_H
#define POLYNATS_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NATS_API __attribute__((visibility("default")))
#else
#define NATS_API
#endif

/* A text's length when the text ends with a NUL: the library counts for you. Text that comes from
 * outside should come with its true length, so that a NUL inside it is refused, not cut off. */
#define NATS_Z ((size_t)-1)

#endif
