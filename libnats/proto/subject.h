/* Checks of subjects, patterns, queue names and inbox names (ADR-6). */
#ifndef NATS_PROTO_SUBJECT_H
#define NATS_PROTO_SUBJECT_H

#include <polynats/subject.h>

#include <stdbool.h>

#include "base/rng.h"

/* NATS_Z resolved. */
size_t nats__text_len(const char *text, size_t len);

/* The fast path of publish: true when subject is fit to publish to. No error text is made. */
bool nats__subject_ok(const char *subject, size_t len);

/* The same with the error noted: `what` names the argument ("subject", "reply"). INVALID names
 * the byte's place, LIMIT... is not used: too long is INVALID too, and names the limit. */
nats_status nats__subject_check(const char *what, const char *subject, size_t len);
nats_status nats__pattern_check(const char *what, const char *pattern, size_t len);
/* A queue name: like a subject without rules for dots and wildcards beyond "no blanks, no
 * control bytes". */
nats_status nats__queue_check(const char *queue, size_t len);
/* An inbox prefix: a subject without wildcards. */
nats_status nats__inbox_prefix_check(const char *prefix, size_t len);

bool nats__subject_match(const char *pattern, size_t pattern_len, const char *subject,
                         size_t subject_len);

enum { NATS__NUID_LEN = 22 };
/* 22 characters of [0-9A-Za-z], from rng. No NUL. */
void nats__nuid(nats__rng *rng, char out[NATS__NUID_LEN]);

#endif
