/* Answers of JetStream's API, and arguments of its verbs: any bytes are safe, and what is made of them
 * is whole. */
#include "check.h"
#include "base/error.h"
#include "jetstream/answer.h"
#include "jetstream/got.h"
#include "jetstream/keys.h"
#include "jetstream/shape.h"

#include <polynats.h>

static nats__chunk_pool *pool;

static void read_answer(const nats_msg *msg)
{
    nats__json *json;
    nats_status status = nats__js_answer_read("verb", msg, &json);
    CHECK((status == NATS_OK) == (json != NULL));
    if (json == NULL) {
        CHECK(status == NATS_ERR_SERVER || status == NATS_ERR_PROTOCOL);
        return;
    }
    nats__js_dropped dropped = nats__js_answer_compare("stream_config", json, json);
    CHECK(dropped.names[0] == '\0'); /* nothing is left out of itself */
    nats__js_answer_compare("consumer_config", json, nats__json_get(json, "config"));
    nats__json_free(json);
}

static void check_got(nats_status status, nats_msg *made)
{
    CHECK((status == NATS_OK) == (made != NULL));
    if (made == NULL) {
        CHECK(nats__error_get()->text[0] != '\0');
        return;
    }
    size_t len;
    CHECK(nats_subject_valid(nats_msg_subject(made, &len), made->subject_len));
    CHECK(nats_msg_header(made, "Nats-Sequence", NATS_Z, &len) != NULL);
    nats_msg_data(made, &len);
    nats_msg_free(made);
}

static void read_message(const nats_msg *msg)
{
    nats_msg *made;
    nats_status status = nats__js_got_json("verb", "STREAM", pool, msg, &made);
    check_got(status, made);
    status = nats__js_got_direct("verb", pool, msg, nats_msg_status(msg), NULL, &made);
    check_got(status, made);
    if (nats__js_got_direct("verb", pool, msg, 0, "", &made) == NATS_OK) {
        nats_msg_free(made);
    }
}

/* Every value is reached, and none twice: there are no more than bytes. */
static size_t walk(const nats_json *value)
{
    size_t seen = 1;
    const char *name;
    int64_t number;
    for (size_t i = 0; i < nats_json_count(value); i++) {
        const nats_json *part = nats_json_at(value, i);
        part = part != NULL ? part : nats_json_member(value, i, &name);
        CHECK(part != NULL && nats_json_kind(part) > 0);
        seen += walk(part);
    }
    if (nats_json_kind(value) == NATS_JSON_DURATION) {
        CHECK(nats_json_int(value, &number));
    }
    nats_json_time(value, &number);
    return seen;
}

static void read_tree(const char *text, size_t size)
{
    nats_json *doc;
    if (nats_json_parse(text, size, &doc) == NATS_OK) {
        CHECK(walk(doc) <= size);
        nats_json_free(doc);
    }
}

/* What was taken once is taken again as it came out. */
static void check_again(const char *object, const nats__json *made)
{
    nats__js_needs needs = {0};
    nats__json *again;
    char *text = nats__json_write(made);
    CHECK(text != NULL);
    nats_status status = nats__js_shape("verb", object, text, strlen(text), &needs, &again);
    CHECK(status == NATS_OK || strstr(text, "\"filter\"") != NULL); /* purge's subject */
    nats__json_free(again);
    free(text);
}

static void shape(const char *text, size_t size)
{
    static const char *const objects[] = {"create_stream", "create_consumer", "get_message",
                                          "get_messages", "purge_stream", "stream_config"};
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        nats__js_needs needs = {0};
        nats__json *made;
        nats_status status = nats__js_shape("verb", objects[i], text, size, &needs, &made);
        CHECK((status == NATS_OK) == (made != NULL));
        CHECK(status == NATS_OK || status == NATS_ERR_INVALID);
        if (made != NULL) {
            check_again(objects[i], made);
            nats__json_free(made);
        }
    }
}

/* Up to a NUL headers, then data; without one it is all data. */
static nats_msg *make_message(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t headers_len = cut != NULL ? (size_t)(cut - data) : 0;
    size_t skip = cut != NULL ? headers_len + 1 : 0;
    return nats__msg_make(pool, "_INBOX.a", 8, data, headers_len, data + skip, size - skip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (pool == NULL) {
        pool = nats__chunk_pool_new();
        CHECK(pool != NULL);
    }
    nats_msg *msg = make_message(data, size);
    CHECK(msg != NULL);
    read_answer(msg);
    read_message(msg);
    nats_msg_free(msg);
    read_tree((const char *)data, size);
    shape((const char *)data, size);
    return 0;
}
