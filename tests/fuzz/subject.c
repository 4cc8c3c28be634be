/* Subjects: the fast check, the checks that name places and the matching, against the rules
 * written down plainly. */
#include "base/error.h"
#include "base/utf8.h"
#include "check.h"
#include "proto/subject.h"

enum { MATCH_MAX = 64 }; /* bytes of a pattern, and of a subject, that are matched naively */

static bool plain_bytes(const char *text, size_t len)
{
    if (len == 0 || len > NATS_SUBJECT_MAX || nats__utf8_check(text, len) != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte <= 0x20 || byte == 0x7F) {
            return false;
        }
    }
    return true;
}

/* The text with a dot before and one behind: a token is then always between two dots. */
static char *with_dots(const char *text, size_t len)
{
    char *dotted = malloc(len + 3);
    CHECK(dotted != NULL);
    dotted[0] = '.';
    memcpy(dotted + 1, text, len);
    memcpy(dotted + 1 + len, ".", 2);
    return dotted;
}

static bool naive_ok(const char *text, size_t len, bool pattern)
{
    if (!plain_bytes(text, len)) {
        return false;
    }
    char *dotted = with_dots(text, len);
    const char *all = strstr(dotted, ".>.");
    bool ok = strstr(dotted, "..") == NULL;
    ok = ok && (pattern || strstr(dotted, ".*.") == NULL);
    ok = ok && (all == NULL || (pattern && all[3] == '\0'));
    free(dotted);
    return ok;
}

/* Both with a dot behind each token. */
static bool naive_match(const char *pattern, const char *subject)
{
    if (*pattern == '\0' || *subject == '\0') {
        return *pattern == *subject;
    }
    if (strcmp(pattern, ">.") == 0) {
        return true;
    }
    if (strncmp(pattern, "*.", 2) == 0) {
        return naive_match(pattern + 2, strchr(subject, '.') + 1);
    }
    size_t len = (size_t)(strchr(pattern, '.') - pattern) + 1;
    return strncmp(pattern, subject, len) == 0 && naive_match(pattern + len, subject + len);
}

static void check_subject(const char *text, size_t len)
{
    bool ok = naive_ok(text, len, false);
    CHECK(nats__subject_ok(text, len) == ok);
    CHECK(nats_subject_valid(text, len) == ok);
    CHECK((nats__subject_check("subject", text, len) == NATS_OK) == ok);
    CHECK((nats__inbox_prefix_check(text, len) == NATS_OK) == ok);
}

static void check_pattern(const char *text, size_t len)
{
    bool ok = naive_ok(text, len, true);
    CHECK(nats_subject_valid_pattern(text, len) == ok);
    CHECK((nats__pattern_check("subject", text, len) == NATS_OK) == ok);
    CHECK((nats__queue_check(text, len) == NATS_OK) == (len == 0 || plain_bytes(text, len)));
}

static void check_match(const char *pattern, size_t pattern_len, const char *subject,
                        size_t subject_len)
{
    int32_t matches = nats_subject_matches(pattern, pattern_len, subject, subject_len);
    if (!naive_ok(pattern, pattern_len, true) || !naive_ok(subject, subject_len, false)) {
        CHECK(matches == 0);
        return;
    }
    if (pattern_len > MATCH_MAX || subject_len > MATCH_MAX) {
        return;
    }
    char *a = with_dots(pattern, pattern_len);
    char *b = with_dots(subject, subject_len);
    CHECK(matches == naive_match(a + 1, b + 1));
    free(a);
    free(b);
}

/* The input is one subject, and also, cut at the first line feed, a pattern and a subject. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    check_subject(text, size);
    check_pattern(text, size);
    const char *feed = size == 0 ? NULL : memchr(text, '\n', size);
    if (feed != NULL) {
        size_t len = (size_t)(feed - text);
        check_subject(feed + 1, size - len - 1);
        check_pattern(text, len);
        check_match(text, len, feed + 1, size - len - 1);
    }
    return 0;
}
