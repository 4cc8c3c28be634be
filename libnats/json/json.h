/* JSON, and the only place that knows which library reads and writes it. 64-bit integers stay
 * exact. */
#ifndef NATS_JSON_JSON_H
#define NATS_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef struct nats__json nats__json; /* a parsed document, or a value borrowed from one */

enum { NATS__JSON_DEPTH_MAX = 32 }; /* no recursion that input decides */

typedef enum nats__json_kind {
    NATS__JSON_NULL,
    NATS__JSON_BOOL,
    NATS__JSON_INT,
    NATS__JSON_REAL,
    NATS__JSON_TEXT,
    NATS__JSON_ARRAY,
    NATS__JSON_OBJECT
} nats__json_kind;

/* NULL when it is not one whole JSON value (error_out: a fixed text, may be NULL) or memory is
 * out. */
nats__json *nats__json_parse(const char *text, size_t len, const char **error_out);
void nats__json_free(nats__json *doc);

nats__json_kind nats__json_kind_of(const nats__json *value);
/* A member, borrowed; NULL when value is no object or has none such. */
const nats__json *nats__json_get(const nats__json *value, const char *name);
/* An element, borrowed; NULL past the end. */
const nats__json *nats__json_at(const nats__json *value, size_t index);
size_t nats__json_count(const nats__json *value);
/* Walk an object's members in their order: false after the last. *cursor: NULL to begin with. */
bool nats__json_next(const nats__json *object, void **cursor, const char **name_out,
                     const nats__json **value_out);
/* True when value is of that kind (and in range); *out is then set. */
bool nats__json_text(const nats__json *value, const char **out, size_t *len_out);
bool nats__json_int(const nats__json *value, int64_t *out);
bool nats__json_uint(const nats__json *value, uint64_t *out);
bool nats__json_bool(const nats__json *value, bool *out);
bool nats__json_real(const nats__json *value, double *out); /* of any number */
/* The value as JSON text, owned by the caller (free()); NULL when memory is out. */
char *nats__json_write(const nats__json *value);
/* Append the value, or a text with its quotes, as JSON. False when memory is out. */
bool nats__json_put(nats__buf *out, const nats__json *value);
bool nats__json_put_text(nats__buf *out, const char *text, size_t len);

/* Building objects, one level: for CONNECT and requests to the server. A failure to have memory
 * is kept and shows when the object is written (NULL). */
nats__json *nats__json_object(void);
void nats__json_set_text(nats__json *object, const char *name, const char *text, size_t len);
void nats__json_set_int(nats__json *object, const char *name, int64_t value);
void nats__json_set_uint(nats__json *object, const char *name, uint64_t value);
void nats__json_set_bool(nats__json *object, const char *name, bool value);
/* Also of one that was parsed. */
void nats__json_remove(nats__json *object, const char *name);

#endif
