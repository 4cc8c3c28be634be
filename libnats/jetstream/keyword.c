#include "jetstream/keyword.h"

#include <polynats/json.h>

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "proto/headers.h"
#include "proto/subject.h"

enum { HEADER_MIN = sizeof("Nats-") - 1, DIGITS_MAX = 20, LEVEL_MAX = 1000000 };

typedef struct value {
    const char *at;
    size_t len;
} value;

typedef const char *check(value it); /* what it is not; NULL: all is well */

/* An empty one is as none to the server: what was to be expected would not be looked at. */
static const char *is_there(value it)
{
    return it.len > 0 ? NULL : "is empty";
}

static size_t count_digits(const char *at, size_t len)
{
    size_t count = 0;
    while (count < len && at[count] >= '0' && at[count] <= '9') {
        count++;
    }
    return count;
}

static const char *is_number(value it)
{
    bool good = it.len > 0 && it.len <= DIGITS_MAX && count_digits(it.at, it.len) == it.len;
    return good ? NULL : "is no whole number";
}

/* Of any size: the server counts beyond 64 bits. */
static const char *is_increment(value it)
{
    bool with_sign = it.len > 1 && (it.at[0] == '+' || it.at[0] == '-');
    bool good = with_sign && count_digits(it.at + 1, it.len - 1) == it.len - 1;
    return good ? NULL : "is no whole number with its sign, as +1";
}

static const char *is_rollup(value it)
{
    bool good = it.len == 3 && (memcmp(it.at, "sub", 3) == 0 || memcmp(it.at, "all", 3) == 0);
    return good ? NULL : "is neither sub nor all";
}

static const char *is_subject(value it)
{
    return nats__subject_ok(it.at, it.len) ? NULL : "is no subject to publish to";
}

static const char *is_pattern(value it)
{
    return nats_subject_valid_pattern(it.at, it.len) ? NULL : "is no subject";
}

typedef struct row {
    nats__keyword word;
    size_t header_len;
    check *check;
} row;

static const row rows[] = {
#define KEYWORD(name, header, kind, check, level) \
    {{#name, header, NATS_JSON_##kind, level}, sizeof(header) - 1, check},
#include "jetstream/keywords.def"
#undef KEYWORD
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

const nats__keyword *nats__keyword_at(size_t index)
{
    return index < ROW_COUNT ? &rows[index].word : NULL;
}

const nats__keyword *nats__keyword_find(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].word.name, name) == 0) {
            return &rows[i].word;
        }
    }
    return NULL;
}

static const row *find_header(const char *key, size_t len)
{
    if (len < HEADER_MIN || memcmp(key, "Nats-", HEADER_MIN) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].header_len == len && memcmp(rows[i].word.header, key, len) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *nats__keyword_since(int level)
{
    static const char *const since[] = {"2.2", "2.11", "2.12", "2.14", "2.14", "2.15"};
    return (size_t)level < sizeof since / sizeof since[0] ? since[level] : "newer than 2.15";
}

/* What the keyword needs; the one that asks for a level needs that, for servers look at it in requests to the API and
 * not in messages. */
static int level_of(const row *known, value given)
{
    int64_t level = 0;
    if (strcmp(known->word.name, "required_api_level") != 0) {
        return known->word.level;
    }
    for (size_t i = 0; i < given.len && level < LEVEL_MAX; i++) {
        level = level * 10 + (given.at[i] - '0');
    }
    return level > known->word.level ? (int)level : known->word.level;
}

nats_status nats__keywords_check(const nats__frame *frame, nats__js_needs *needs)
{
    const char *block = (const char *)frame->headers;
    size_t cursor = 0;
    const char *key;
    size_t key_len;
    value given;
    while (frame->headers_len > 0 && nats__headers_next(block, frame->headers_len, &cursor, &key,
                                                        &key_len, &given.at, &given.len)) {
        const row *known = find_header(key, key_len);
        const char *wrong = known != NULL ? known->check(given) : NULL;
        if (wrong != NULL) {
            return nats__fail(NATS_ERR_INVALID, known->word.name, "%s (%s) %s: \"%.*s\"",
                              known->word.name, known->word.header, wrong,
                              (int)(given.len < 64 ? given.len : 64), given.at);
        }
        if (known != NULL) {
            int level = level_of(known, given);
            nats__js_need(needs, level, known->word.name, nats__keyword_since(level));
        }
    }
    return NATS_OK;
}
