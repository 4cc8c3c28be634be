/* The answer to a publish: what is read by hand is what the JSON library reads, and no more is taken for an
 * answer than that takes for JSON. */
#include "jetstream/puback.h"

#include "check.h"
#include "json/json.h"

static bool has_stream(const nats__json *doc)
{
    const char *text;
    size_t len;
    return nats__json_text(nats__json_get(doc, "stream"), &text, &len) && len > 0;
}

static void check_stored(const nats__json *doc, const nats__puback *ack)
{
    uint64_t seq;
    bool duplicate = false;
    CHECK(has_stream(doc));
    CHECK(nats__json_uint(nats__json_get(doc, "seq"), &seq) && seq == ack->seq);
    bool said = nats__json_bool(nats__json_get(doc, "duplicate"), &duplicate);
    CHECK((said && duplicate) == ack->duplicate);
}

static void check_kind(const nats__json *doc, const nats__puback *ack, bool minus)
{
    const nats__json *error = nats__json_get(doc, "error");
    bool is_error = error != NULL && nats__json_kind_of(error) == NATS__JSON_OBJECT;
    uint64_t seq;
    switch (ack->kind) {
    case NATS__PUBACK_STORED:
        CHECK(!is_error);
        check_stored(doc, ack);
        break;
    case NATS__PUBACK_ERROR:
    case NATS__PUBACK_FLAW:
        CHECK(is_error);
        break;
    case NATS__PUBACK_NONE:
        /* "-0" is a whole number to the library. */
        CHECK(minus || nats__json_get(doc, "type") != NULL || is_error || !has_stream(doc) ||
              !nats__json_uint(nats__json_get(doc, "seq"), &seq));
        break;
    default:
        CHECK(nats__json_get(doc, "type") != NULL);
        break;
    }
}

static void check_text(nats__raw_text raw, const char *text, size_t size)
{
    char out[32];
    CHECK(raw.at == NULL || is_within(raw.at, raw.len, text, size));
    nats__puback_text(raw, out, sizeof out);
    CHECK(strlen(out) < sizeof out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    nats__puback ack;
    memset(&ack, 0x55, sizeof ack);
    nats__puback_read(text, size, &ack);
    check_text(ack.description, text, size);
    check_text(ack.stream, text, size);
    check_text(ack.batch, text, size);
    nats__json *doc = nats__json_parse(text, size, NULL);
    if (doc == NULL || nats__json_kind_of(doc) != NATS__JSON_OBJECT) {
        CHECK(ack.kind == NATS__PUBACK_NONE);
    } else {
        check_kind(doc, &ack, size > 0 && memchr(text, '-', size) != NULL);
    }
    nats__json_free(doc);
    return 0;
}
