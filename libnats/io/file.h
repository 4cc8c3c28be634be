/* Small files, read whole: credentials, certificates. */
#ifndef NATS_IO_FILE_H
#define NATS_IO_FILE_H

#include <polynats/status.h>

#include "base/buf.h"

enum { NATS__FILE_MAX = 1024 * 1024 }; /* bytes: a bundle of all roots of the web has a quarter */

/* Read a file; *out is empty on failure, and a NUL stands behind it else. about: the option that
 * named it. It must be a regular one: others would keep us waiting. Who read a secret wipes it.
 * Errors: IO (the text names the file, unless that may be a secret itself), INVALID (too large, or not
 * a regular file), NO_MEMORY. */
nats_status nats__file_read(const char *path, const char *about, nats__buf *out);
void nats__file_wipe(nats__buf *file);

#endif
