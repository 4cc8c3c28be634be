/* JSON texts, read: what JetStream's answers are made of.
 *
 * JetStream's configurations and answers cross this interface as JSON text in the server's own
 * schema (ADR-1), so a new server's field needs no new function. Languages that bring a JSON
 * library may use it; this reader is for those that do not, and knows besides which fields of
 * JetStream are durations and times. Whole numbers stay exact over all 64 bits.
 *
 *     nats_json *info;
 *     nats_json_parse(text, len, &info);
 *     const nats_json *state = nats_json_get(info, "state");
 *     uint64_t messages;
 *     nats_json_uint(nats_json_get(state, "messages"), &messages);
 *     nats_json_free(info);
 *
 * Values are borrowed from the document until it is freed. A value may be NULL everywhere: it is
 * one that is not there, of no kind.
 * Threads: it does not change; any thread may read it, one frees it. */
#ifndef POLYNATS_JSON_H
#define POLYNATS_JSON_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_json nats_json;

/* Kinds of value. */
enum {
    NATS_JSON_NULL = 1,
    NATS_JSON_BOOL = 2,
    NATS_JSON_INT = 3,  /* a whole number of int64_t */
    NATS_JSON_UINT = 4, /* one beyond it, of uint64_t */
    NATS_JSON_REAL = 5,
    NATS_JSON_TEXT = 6,
    NATS_JSON_ARRAY = 7,
    NATS_JSON_OBJECT = 8,
    NATS_JSON_DURATION = 9, /* a whole number that JetStream means as nanoseconds */
    NATS_JSON_TIME = 10     /* a text that JetStream means as a time (RFC 3339) */
};

/* Read one whole JSON value. json_out: owned, free with nats_json_free(). Errors: INVALID (it is
 * none, or nested more than 32 deep; the text says what is wrong), NO_MEMORY. */
NATS_API nats_status nats_json_parse(const char *text, size_t len, nats_json **json_out);
/* Free the document, and with it all values. NULL is fine; values are not freed by themselves. */
NATS_API void nats_json_free(nats_json *json);

/* NATS_JSON_… ; 0 for NULL. DURATION and TIME go by the name of the member (or of the list) that the
 * value was found under. */
NATS_API int32_t nats_json_kind(const nats_json *value);
/* Elements of an array or members of an object; else 0. */
NATS_API size_t nats_json_count(const nats_json *value);
/* A member of an object by name; NULL when it is not there. */
NATS_API const nats_json *nats_json_get(const nats_json *object, const char *name);
/* An element of an array by index; NULL past the last. */
NATS_API const nats_json *nats_json_at(const nats_json *array, size_t index);
/* Member `index` of an object in the order of the text; *name_out: borrowed, NUL-terminated. NULL
 * past the last. Costs O(1) when called with 0, 1, 2, … in turn. */
NATS_API const nats_json *nats_json_member(const nats_json *object, size_t index,
                                           const char **name_out);

/* A text (or time): NUL-terminated, borrowed; NULL when it is no text. */
NATS_API const char *nats_json_text(const nats_json *value, size_t *len_out);
/* 1 and the number, or 0 (and 0 in *out) when it is none or out of range. A bool is 0 or 1 of int.
 * Durations are ns. */
NATS_API int32_t nats_json_int(const nats_json *value, int64_t *out);
/* The same of a whole number, 0 or more. */
NATS_API int32_t nats_json_uint(const nats_json *value, uint64_t *out);
/* The same of any number, whole or not: the nearest double. */
NATS_API int32_t nats_json_real(const nats_json *value, double *out);
/* A time as ns since 1970 in UTC: 1, or 0 when it is none or not in the range of int64_t (such as
 * JetStream's "0001-01-01T00:00:00Z", which says "never"). */
NATS_API int32_t nats_json_time(const nats_json *value, int64_t *ns_out);

#ifdef __cplusplus
}
#endif

#endif
