/* A received message.
 *
 * A message is a small record that points into the bytes as they came from the socket: reading its
 * parts copies nothing. It stays whole after its subscription, its client and the connection are
 * gone, until nats_msg_free(). Messages of one batch share the chunk of memory they were read into
 * (up to 128 KiB): who keeps a few messages for long should copy what is needed and free them.
 *
 *     size_t len;
 *     const char *subject = nats_msg_subject(msg, &len);
 *     fwrite(nats_msg_data(msg, &len), 1, len, stdout);
 *     nats_msg_free(msg);
 *
 * Pointers are borrowed until the message is freed. Subject, reply and data are followed by a NUL
 * that is not counted. What is read from the headers (their block, values, keys, description) is
 * not: it points into the block, and what follows there is the end of the line or the next line.
 * Never use those without the length. Every *_len_out may be NULL.
 * Threads: a message does not change; any thread may read it, one frees it.
 */
#ifndef POLYNATS_MSG_H
#define POLYNATS_MSG_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_msg nats_msg;

/* The subject it was published to, which is not the pattern it was received by. NUL-terminated. */
NATS_API const char *nats_msg_subject(const nats_msg *msg, size_t *len_out);

/* The subject to answer to, or NULL (length 0) when no answer is asked for. */
NATS_API const char *nats_msg_reply(const nats_msg *msg, size_t *len_out);

/* The payload: never NULL, also when empty. */
NATS_API const void *nats_msg_data(const nats_msg *msg, size_t *len_out);

/* The sid of the subscription it came for; 0 for the answer to a request. */
NATS_API uint64_t nats_msg_sid(const nats_msg *msg);

/* The status of the headers' first line, such as 503 or 100; 0 when there is none (ADR-4). */
NATS_API int32_t nats_msg_status(const nats_msg *msg);
/* The words after the status, "" when there are none. Not NUL-terminated: take *len_out bytes. */
NATS_API const char *nats_msg_description(const nats_msg *msg, size_t *len_out);

/* The header block as it came, "NATS/1.0…" to the blank line; NULL (length 0) when there is
 * none. Not NUL-terminated: the payload follows. */
NATS_API const char *nats_msg_headers_raw(const nats_msg *msg, size_t *len_out);

/* The first value of a header, or NULL when it is not there. Keys are compared to the letter
 * (ADR-4). Not NUL-terminated: take *len_out bytes. */
NATS_API const char *nats_msg_header(const nats_msg *msg, const char *key, size_t key_len,
                                     size_t *len_out);

/* Step through all headers in their order. *cursor: 0 to begin with, changed by each call.
 * Returns 1 and the next pair, or 0 after the last. A line that is not "key: value" is passed over.
 * Neither text is NUL-terminated. Costs O(header block) for the whole walk. */
NATS_API int32_t nats_msg_next_header(const nats_msg *msg, size_t *cursor, const char **key_out,
                                      size_t *key_len_out, const char **value_out,
                                      size_t *value_len_out);

/* Give back one message. NULL is fine. */
NATS_API void nats_msg_free(nats_msg *msg);

/* Give back a batch; cheaper than one by one. NULL entries are fine. */
NATS_API void nats_msg_free_many(nats_msg **batch, size_t count);

#ifdef __cplusplus
}
#endif

#endif
