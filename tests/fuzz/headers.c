/* Header blocks: any bytes are safe to read, and what can be added is read back. */
#include "check.h"
#include "proto/headers.h"

enum { PAIRS_MAX = 64 };

typedef struct pair {
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
} pair;

static bool next(const char *block, size_t len, size_t *cursor, pair *out)
{
    return nats__headers_next(block, len, cursor, &out->key, &out->key_len, &out->value,
                              &out->value_len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void read_pairs(const char *block, size_t size)
{
    size_t cursor = 0;
    size_t last = 0;
    pair at;
    while (next(block, size, &cursor, &at)) {
        CHECK(cursor > last && cursor <= size);
        CHECK(is_within(at.key, at.key_len, block, size));
        CHECK(is_within(at.value, at.value_len, block, size));
        CHECK(at.key_len > 0 && memchr(at.key, ':', at.key_len) == NULL);
        CHECK(memchr(at.key, '\n', at.key_len) == NULL);
        CHECK(at.value_len == 0 || memchr(at.value, '\n', at.value_len) == NULL);
        CHECK(at.value_len == 0 || !is_blank(at.value[0]));
        CHECK(at.value_len == 0 || !is_blank(at.value[at.value_len - 1]));
        last = cursor;
    }
    CHECK(cursor == size);
    CHECK(!next(block, size, &cursor, &at));
}

static void read_status(const char *block, size_t size)
{
    const char *desc;
    size_t desc_len;
    int32_t status = nats__headers_status(block, size, &desc, &desc_len);
    CHECK(status >= 0 && status <= 999);
    CHECK(status != 0 || desc_len == 0);
    CHECK(desc_len == 0 || is_within(desc, desc_len, block, size));
    CHECK(desc_len == 0 || memchr(desc, '\n', desc_len) == NULL);
}

static pair cut_blanks(pair at)
{
    while (at.value_len > 0 && is_blank(at.value[0])) {
        at.value++;
        at.value_len--;
    }
    while (at.value_len > 0 && is_blank(at.value[at.value_len - 1])) {
        at.value_len--;
    }
    return at;
}

/* The input as pairs: a byte with the key's length, one with the value's, the bytes. */
static size_t add_pairs(nats_headers *headers, const char *data, size_t size, pair *added)
{
    size_t count = 0;
    while (size >= 2 && count < PAIRS_MAX) {
        size_t key_len = (unsigned char)data[0];
        size_t value_len = (unsigned char)data[1];
        data += 2;
        size -= 2;
        key_len = key_len < size ? key_len : size;
        value_len = value_len < size - key_len ? value_len : size - key_len;
        pair at = {data, key_len, data + key_len, value_len};
        if (nats_headers_add(headers, at.key, at.key_len, at.value, at.value_len) == NATS_OK) {
            added[count++] = cut_blanks(at);
        }
        data += key_len + value_len;
        size -= key_len + value_len;
    }
    return count;
}

static void check_round_trip(const char *data, size_t size)
{
    nats_headers *headers;
    pair added[PAIRS_MAX];
    CHECK(nats_headers_new(&headers) == NATS_OK);
    size_t count = add_pairs(headers, data, size, added);
    CHECK(nats_headers_count(headers) == count);
    const char *block = (const char *)headers->block.data;
    size_t len = headers->block.len;
    CHECK((count == 0) == (len == 0));
    CHECK(len == 0 || memcmp(block + len - 4, "\r\n\r\n", 4) == 0);
    size_t cursor = 0;
    pair at;
    for (size_t i = 0; i < count; i++) {
        CHECK(next(block, len, &cursor, &at));
        CHECK(at.key_len == added[i].key_len && at.value_len == added[i].value_len);
        CHECK(memcmp(at.key, added[i].key, at.key_len) == 0);
        CHECK(memcmp(at.value, added[i].value, at.value_len) == 0);
    }
    CHECK(!next(block, len, &cursor, &at));
    nats_headers_free(headers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    read_pairs(text, size);
    read_status(text, size);
    check_round_trip(text, size);
    return 0;
}
