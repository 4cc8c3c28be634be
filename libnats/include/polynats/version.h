/* The library's version: of the header at compile time, of the library at run time. */
#ifndef POLYNATS_VERSION_H
#define POLYNATS_VERSION_H

#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

#define POLYNATS_VERSION_MAJOR 0
#define POLYNATS_VERSION_MINOR 1
#define POLYNATS_VERSION_PATCH 0
#define POLYNATS_VERSION "0.1.0"

/* The ABI's number, which is the SONAME's: a program built against ABI n runs with every library of
 * ABI n that is not older. */
#define POLYNATS_ABI 0

/* The version of the library in use, "major.minor.patch". Lives for ever. Any thread. */
NATS_API const char *nats_version(void);

/* POLYNATS_ABI as the library in use was built. Any thread. */
NATS_API int32_t nats_abi(void);

#ifdef __cplusplus
}
#endif

#endif
