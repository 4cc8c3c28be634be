/* Subjects and patterns (ADR-6): pure functions, any thread.
 *
 * A subject is tokens joined by dots: no token is empty, no byte is a blank or a control
 * character, and text beyond ASCII is valid UTF-8. In a pattern a token may be `*` (one token),
 * and the last one may be `>` (one token or more). */
#ifndef POLYNATS_SUBJECT_H
#define POLYNATS_SUBJECT_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest subject, reply or queue name that is accepted, in bytes: with the rest of its control
 * line it stays under the server's default max_control_line of 4096. */
#define NATS_SUBJECT_MAX 1900

/* 1 when a message can be published to it (no wildcard tokens), else 0. */
NATS_API int32_t nats_subject_valid(const char *subject, size_t subject_len);

/* 1 when it can be subscribed to, else 0. */
NATS_API int32_t nats_subject_valid_pattern(const char *pattern, size_t pattern_len);

/* 1 when a message to subject would reach a subscription to pattern, else 0 (also when either is
 * not valid). */
NATS_API int32_t nats_subject_matches(const char *pattern, size_t pattern_len, const char *subject,
                                      size_t subject_len);

#ifdef __cplusplus
}
#endif

#endif
