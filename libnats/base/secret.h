/* Texts that are secrets and must be kept, for the next connect needs them: each in pages of its own,
 * which a core dump leaves out, and which are wiped when they are let go of. */
#ifndef NATS_BASE_SECRET_H
#define NATS_BASE_SECRET_H

#include <stddef.h>

/* Zeroed. NULL: no memory. */
char *nats__secret_new(size_t size);
/* NUL-terminated. NULL: no memory. */
char *nats__secret_copy(const char *text, size_t len);
/* Of one of the above; NULL is fine. */
void nats__secret_free(char *secret);

#endif
