#include <polynats/subject.h>

#include "base/error.h"
#include "proto/subject.h"

/* A yes-or-no question leaves no error behind: the thread's last one stays what it was. */
static bool pattern_ok(const char *pattern, size_t len)
{
    nats__error held = *nats__error_get();
    bool ok = nats__pattern_check("pattern", pattern, len) == NATS_OK;
    *nats__error_get() = held;
    return ok;
}

int32_t nats_subject_valid(const char *subject, size_t subject_len)
{
    return nats__subject_ok(subject, nats__text_len(subject, subject_len));
}

int32_t nats_subject_valid_pattern(const char *pattern, size_t pattern_len)
{
    return pattern_ok(pattern, nats__text_len(pattern, pattern_len));
}

int32_t nats_subject_matches(const char *pattern, size_t pattern_len, const char *subject,
                             size_t subject_len)
{
    pattern_len = nats__text_len(pattern, pattern_len);
    subject_len = nats__text_len(subject, subject_len);
    return pattern_ok(pattern, pattern_len) && nats__subject_ok(subject, subject_len) &&
           nats__subject_match(pattern, pattern_len, subject, subject_len);
}
